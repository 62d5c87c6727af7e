import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { requireObserved } from '../../src/db/execution/find-execution.ts';
import { recordHeard } from '../../src/db/observed/heard-messages.ts';
import { beginHearing } from '../../src/db/observed/hearings.ts';
import { openStore } from '../../src/db/opening/open-store.ts';
import { registerProcess } from '../../src/db/presence/leases.ts';
import { createQueries } from '../../src/db/queries.ts';
import { promptProcessing } from '../../src/domain/workflows.ts';
import { currentProcess } from '../../src/lib/process-identity.ts';
import type { MessageLine } from '../../src/observed/recording-lines.ts';
import { alterStore } from '../alter-store.ts';
import { runCli, temporaryFolder } from '../helpers.ts';
import { storeOf } from './stores.ts';

const hidden: readonly [string, string][] = [
  ['a control', '\u0007'],
  ['a text-direction', '\u202E'],
  ['a zero-width', '\u200B'],
  ['a line separator', '\u2028'],
  ['a paragraph separator', '\u2029'],
  ['a private-use', '\uE000'],
  ['an unassigned', '\u{50000}'],
];

const said = (body: object, headers: Record<string, string> = {}): MessageLine => ({
  t: '2026-11-27T09:00:00.000Z',
  destination: '/topic/epictopic',
  headers,
  body: { msg_type: 'run_imminent', run_id: '7', namespace: 'shift', execution_id: 'e-0001', sender: 'a', ...body },
});

const told = (body: object): MessageLine => ({
  t: '2026-11-27T09:00:00.000Z',
  destination: 'POST /api/workflow-executions/',
  headers: {},
  body: { execution_id: 'e-0001', start_time: '2026-11-27T09:00:00', ...body },
});

describe.each(hidden)('a name with %s character', (_, character) => {
  const name = `e${character}1`;
  it.each<[string, MessageLine]>([
    ['execution_id', said({ execution_id: name })],
    ['execution_id', said({ execution_id: undefined, content: { execution_id: name } })],
    ['run_id', said({ run_id: name })],
    ['run_id', said({ run_id: undefined }, { run_id: name })],
    ['namespace', said({ namespace: name })],
    ['namespace', said({ namespace: undefined }, { namespace: name })],
    ['execution_id', told({ execution_id: name })],
    ['namespace', told({ namespace: name })],
  ])('as %s causes its message to be rejected with the reason, and creates no execution', async (field, line) => {
    const store = await storeOf([line, said({ execution_id: 'good-0001' })]);
    const [row] = store.db
      .prepare(`SELECT effect, effect_code, effect_reason FROM message_rows WHERE effect = 'rejected'`)
      .all() as Record<string, string>[];
    expect(row).toMatchObject({ effect: 'rejected', effect_code: 'UNREADABLE' });
    expect(row?.['effect_reason']).toMatch(new RegExp(`^${field} "e.*1" contains invisible characters`));
    const queries = createQueries(store.db, () => undefined);
    expect(queries.recentExecutionIds()).toEqual(['good-0001']);
    store.close();
  });
});

it('an id with a hidden character in a store is shown and found escaped, and hides no other', async () => {
  const folder = temporaryFolder();
  const store = await openStore(join(folder, 'swf.db'));
  await store.write((tx) => {
    for (const line of [said({ execution_id: 'bad-0001' }), said({ execution_id: 'good-0001', run_id: '8' })])
      recordHeard(tx, line);
  });
  store.close();
  const tables = ['workflow_executions', 'runs', 'run_states', 'observed_runs'];
  const rename = (table: string): string =>
    `UPDATE ${table} SET execution_id = 'b' || char(8238) || 'd' WHERE execution_id = 'bad-0001'`;
  alterStore(folder, tables.map(rename).join(';'));
  const escaped = String.raw`b\u{202e}d`;
  const { stdout } = await runCli(['call', 'get_workflow_monitor', `execution_id=${escaped}`], { folder });
  expect(JSON.parse(stdout)).toMatchObject({ execution_id: escaped });
  const list = await runCli(['list', '-o', 'json'], { folder });
  expect(list.stdout).toContain('good-0001');
  expect(await runCli(['status', escaped], { folder })).toMatchObject({ code: 0 });
});

it('an execution whose state cannot be read does not hide others from the status', async () => {
  const folder = temporaryFolder();
  const store = await openStore(join(folder, 'swf.db'));
  await store.write((tx) => {
    for (const [n, id] of ['bad-0001', 'good-0001'].entries())
      recordHeard(tx, said({ execution_id: id, run_id: String(n) }));
    beginHearing(
      tx,
      { namespaces: [], process_id: registerProcess(tx, currentProcess(), '0'), now: Date.now() },
      () => true,
    );
    tx.sql('UPDATE hearings SET beat_ms = ?').run(Date.now() + 60_000);
  });
  store.close();
  alterStore(folder, `DELETE FROM observed_runs WHERE execution_id = 'bad-0001'`);
  const { code, stdout, stderr } = await runCli(['status'], { folder });
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('good-0001: running') as string });
  expect(stderr).toMatch(/^bad-0001 cannot be shown: STORE_CORRUPT: the record of bad-0001 is damaged/);
  const check = await runCli(['check'], { folder });
  expect(check).toMatchObject({ code: 1 });
  expect(check.stdout).toMatch(/^fail +bad-0001 +STORE_CORRUPT: the record of bad-0001 is damaged/m);
  const damaged = await openStore(join(folder, 'swf.db'));
  const queries = createQueries(damaged.db, () => undefined);
  const bad = queries.execution('bad-0001');
  expect(queries.whySlicesUncounted(bad)).toBeUndefined();
  // The workflow of prompt processing makes no slices, whatever else is known.
  const prompt = { ...requireObserved(bad), workflow_name: promptProcessing };
  expect(queries.whySlicesUncounted(prompt)).toMatch(/^prompt processing/);
  damaged.close();
  const list = await runCli(['list', '-o', 'json'], { folder });
  expect(list.stdout).toMatch(/"execution_id": ?"bad-0001"[^}]*"slices_created": ?0/);
});
