import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { openReader } from '../../src/db/opening/open-reader.ts';
import { createQueries } from '../../src/db/queries.ts';
import { messageTypes } from '../../src/messages/vocabulary.ts';
import { makeRunningStore, runWorkflow, temporaryFolder } from '../helpers.ts';
import { rounds } from '../rounds.ts';

/** The bodies of a run's own messages: what fuzzing changes. */
function bodiesOf(folder: string): string[] {
  const db = openReader(`${folder}/swf.db`);
  const rows = db.prepare<[], { payload: string }>('SELECT payload FROM workflow_messages').all();
  db.close();
  return rows.map(({ payload }) => payload);
}

const anyField = fc.oneof(
  fc.constantFrom(
    'execution_id',
    'run_id',
    'filename',
    'sequence',
    'slice_filename',
    'attempt',
    'state',
    'tf_first',
    'tf_last',
    'msg_type',
    'namespace',
    'timestamp',
    'ordinal',
    'worker_id',
    'simulation_tick',
    '__proto__',
  ),
  fc.string({ maxLength: 10 }),
);
const anyValue = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    -1,
    0,
    1,
    2,
    1e308,
    '',
    '../../etc/passwd',
    'done',
    'failed',
    'stf_datataking-tester-0001',
    '100010',
    '2099-01-01T00:00:00Z',
    '0000-00-00',
    ...messageTypes,
  ),
  fc.jsonValue({ maxDepth: 3 }),
  fc.string({ unit: 'binary', maxLength: 30 }),
);

describe('arbitrary messages', () => {
  it('are recorded with their effect, or with the reason for having none, and leave the store consistent', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '3');
    const own = fc.constantFrom(...bodiesOf(folder));
    const changed = fc
      .tuple(own, fc.array(fc.tuple(anyField, anyValue), { minLength: 1, maxLength: 3 }))
      .map(([body, changes]) => JSON.stringify({ ...(JSON.parse(body) as object), ...Object.fromEntries(changes) }));
    const broken = fc
      .tuple(own, fc.nat(400), fc.string({ maxLength: 5 }))
      .map(([body, at, text]) => body.slice(0, at) + text + body.slice(at + 3));
    const anyBody = fc.oneof(
      { weight: 4, arbitrary: own },
      { weight: 8, arbitrary: changed },
      { weight: 2, arbitrary: broken },
      { weight: 1, arbitrary: fc.json() },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
    );
    const made = await makeRunningStore({ fast_processing: { stf_count: 3 } });
    const anyDelivery = fc.record({
      body: anyBody,
      destination: fc.constantFrom(
        '/topic/epictopic',
        '/queue/panda.results.fastprocessing',
        '/queue/workflow_control',
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(anyDelivery, { minLength: 100, maxLength: 100 }), async (deliveries) => {
        const results = await made.store.write((tx) =>
          deliveries.map(({ destination, body }) => made.receive(tx, destination, body)),
        );
        for (const { effect, effect_reason } of results)
          if (effect !== 'applied') expect(effect_reason).toMatch(/^[^\n]{1,1000}/);
      }),
      { numRuns: rounds(100, 20), seed: 5 },
    );
    const queries = createQueries(made.store.db, () => true);
    const { rows } = queries.executions({}, { order: 'oldest', limit: 200 });
    expect(rows.length).toBeGreaterThan(1);
    for (const row of rows) {
      const wrong = queries.audit(row).checks.filter(({ state }) => state === 'broken');
      expect({ execution: row.execution_id, status: row.status, wrong }).toEqual({
        execution: row.execution_id,
        status: row.status,
        wrong: [],
      });
    }
    expect(made.store.db.pragma('integrity_check', { simple: true })).toBe('ok');
  });
});
