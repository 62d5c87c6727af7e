import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { openReader } from '../../src/db/opening/open-reader.ts';
import { messageTypes } from '../../src/messages/vocabulary.ts';
import { makeStore, runWorkflow, temporaryFolder } from '../helpers.ts';
import type { HistoryRow } from '../histories/log-file.ts';
import { rounds } from '../rounds.ts';

/** No recorded history has a lost driver. */
const driverLost = JSON.stringify({
  msg_type: 'driver_lost',
  epoch: 1,
  last_sign: '2026-11-25T10:00:00.000Z',
  last_sign_by: 'beat',
  sender: 'daq_simulator-agent-tester-7',
  namespace: 'swf-tester',
  execution_id: 'stf_datataking-tester-0001',
  run_id: '100010',
  timestamp: '2026-11-25T10:01:00.000Z',
  message_id: 'stf_datataking-tester-0001/driver_lost/1',
});

/** No recorded history has a returned slice either. */
const sliceReturned = JSON.stringify({
  msg_type: 'slice_returned',
  slice_id: 0,
  slice_filename: 'swf.100010.000001_slice_000.tf',
  tf_filename: 'swf.100010.000001_tf_001.tf',
  attempt: 1,
  worker_id: 'worker-agent-tester-12345678/01',
  hostname: 'host-b',
  reason: 'NO_FILE',
  detail: 'the folder of data files is not known',
  sender: 'worker-agent-tester-12345678',
  namespace: 'test',
  execution_id: 'stf_datataking-tester-0001',
  run_id: '100010',
  timestamp: '2026-11-25T10:01:00.000Z',
  message_id:
    'stf_datataking-tester-0001/slice_returned/swf.100010.000001_slice_000.tf/1/worker-agent-tester-12345678/01@host-b/NO_FILE',
});

/** Bodies of every message type, from the recorded histories and from a new run. */
async function bodiesOfEveryType(): Promise<string[]> {
  const folder = temporaryFolder();
  await runWorkflow(folder, '--stf-count', '1');
  const db = openReader(join(folder, 'swf.db'));
  const ofToday = db.prepare<[], string>('SELECT payload FROM workflow_messages').pluck().all();
  db.close();
  const histories = join(import.meta.dirname, '..', 'histories');
  const recorded = readdirSync(histories)
    .filter((name) => name.endsWith('.log.jsonl'))
    .flatMap((name) => readFileSync(join(histories, name), 'utf8').trimEnd().split('\n'))
    .map((line) => (JSON.parse(line) as HistoryRow).body);
  const byType = new Map<string, string>();
  for (const body of [...ofToday, ...recorded, driverLost, sliceReturned]) {
    const { msg_type = '' } = JSON.parse(body) as { msg_type?: string };
    if (!byType.has(msg_type)) byType.set(msg_type, body);
  }
  // Its numbers are assigned here, so its body is rewritten.
  byType.delete('run_workflow');
  return [...byType.values(), ...logbookBodies];
}

const entry = { sender: 'watch', namespace: 'none', timestamp: '2026-11-28T03:12:00.000Z' };
const alarm = { code: 'STAGE_STUCK', subject: 'e-1:data', sentence: 'Nothing.', severity: 'error', count: 1 };

const logbookBodies = [
  { msg_type: 'note', command_id: 'a', text: 'the beam was off', author: 'ana' },
  { msg_type: 'quality', command_id: 'b', value: 'bad', reason: 'no beam', author: 'ana', execution_id: 'e-1' },
  { msg_type: 'alarm_raised', ...alarm },
  { msg_type: 'alarm_seen', ...alarm, author: 'ana', text: 'I look' },
  { msg_type: 'alarm_cleared', ...alarm },
].map((body) => JSON.stringify({ ...body, ...entry }));

/** Changes to a body: other values, missing keys, another order, or edits that may break the JSON. */
const changes = fc.oneof(
  fc.constant((body: string) => body),
  fc
    .tuple(
      fc.constantFrom('sender', 'namespace', 'execution_id', 'run_id', 'timestamp', 'message_id'),
      fc.oneof(
        fc.string({ unit: 'grapheme', maxLength: 12 }),
        fc.constantFrom('undefined', 'null', '2026-11-25T00:00:00+01:00', 'a"b', 'é\u2028😀'),
      ),
    )
    .map(
      ([key, value]) =>
        (body: string) =>
          JSON.stringify({ ...(JSON.parse(body) as object), [key]: value }),
    ),
  fc.constantFrom('sender', 'run_id', 'timestamp', 'simulation_tick', 'message_id').map((key) => (body: string) => {
    const { [key]: _, ...rest } = JSON.parse(body) as Record<string, unknown>;
    return JSON.stringify(rest);
  }),
  fc.constant((body: string) =>
    JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(body) as object).toReversed())),
  ),
  fc
    .tuple(fc.nat(), fc.nat(), fc.constantFrom(' ', '\u0000', ',', '}', '"', 'x'))
    .map(([at, gone, put]) => (body: string) => {
      const place = at % body.length;
      return body.slice(0, place) + put + body.slice(place + (gone % 3));
    }),
  fc
    .double({ noNaN: true, noDefaultInfinity: true, min: 0 })
    .map((tick) => (body: string) => body.replace(/"simulation_tick":[\d.]+/, `"simulation_tick":${tick}`)),
);

describe('a message of any type and form', () => {
  it('is returned byte for byte', async () => {
    const bodies = await bodiesOfEveryType();
    const types = bodies.map((body) => (JSON.parse(body) as { msg_type: string }).msg_type);
    expect(messageTypes.filter((type) => !types.includes(type))).toEqual(['run_workflow']);
    const { store, receive } = await makeStore();
    const said = store.db.prepare<[number], { payload: string; is_whole: number }>(
      'SELECT payload, is_whole FROM workflow_messages WHERE seq = ?',
    );
    let cut = 0;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...bodies), changes, async (body, change) => {
        const changed = change(body);
        const { seq, isNew } = await store.write((tx) => receive(tx, '/topic/epictopic', changed));
        const row = said.get(seq);
        if (isNew) expect(row?.payload).toBe(changed);
        cut += row?.is_whole === 0 ? 1 : 0;
      }),
      { numRuns: rounds(3000), seed: 5 },
    );
    expect(cut).toBeGreaterThan(rounds(3000) / 30);
  });

  it('is stored without its envelope if our own agents send it, except for run_workflow', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '2');
    const db = openReader(join(folder, 'swf.db'));
    const whole = db.prepare<[], string>('SELECT message_type FROM workflow_messages WHERE is_whole').pluck().all();
    const envelopes = db
      .prepare(`SELECT 1 FROM workflow_messages WHERE NOT is_whole AND body -> '$.execution_id' IS NOT NULL`)
      .all();
    db.close();
    expect({ whole, envelopes }).toEqual({ whole: ['run_workflow'], envelopes: [] });
  });
});
