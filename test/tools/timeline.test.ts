import { expect, it } from 'vitest';

import { codeOf } from '../codes.ts';
import {
  type Answer,
  ask,
  connectInProcess,
  connectStdio,
  refusal,
  runCli,
  startCli,
  temporaryFolder,
} from '../helpers.ts';
import { hostileRun } from '../web/hostile-run.ts';
import { doneSlices, storeOfSlices } from './asking.ts';

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

it('the timeline of an execution has the counts of the monitor, and is short when requested again with nothing new to add', async () => {
  const folder = temporaryFolder();
  const execution_id = await hostileRun(folder);
  const client = await connectStdio({ folder });
  const monitor = await ask(client, 'get_workflow_monitor', { execution_id });
  const whole = await ask(client, 'get_execution_timeline', { execution_id, bins: 600 });
  expect(JSON.stringify(whole).length).toBeLessThanOrEqual(25_000);
  expect(whole['bins']).toBeLessThan(600);
  expect(whole['note']).toContain(`${whole['bins']} bins of `);
  expect(await ask(client, 'get_execution_timeline', { execution_id })).not.toHaveProperty('note');
  const completed = whole['series'].completed as number[];
  expect(sum(whole['series'].arrived)).toBe(monitor['slices_created']);
  expect(sum(completed)).toBe(monitor['slices_completed']);
  expect(sum(whole['series'].exhausted)).toBe(monitor['slices_failed']);
  expect(sum((whole['workers'] as Answer[]).map((worker) => worker['completed'] as number))).toBe(sum(completed));

  // A part has the bins of the whole that lie in it.
  const middle = new Date((Date.parse(whole['from']) + Date.parse(whole['until'])) / 2).toISOString();
  const part = await ask(client, 'get_execution_timeline', { execution_id, bins: 600, start_time: middle });
  expect(sum(part['series'].completed)).toBeLessThan(sum(completed));
  expect(part['series'].queued.at(-1)).toBe(whole['series'].queued.at(-1));

  const again = await ask(client, 'get_execution_timeline', { execution_id, since: whole['seq'] });
  expect(again).toMatchObject({ unchanged: true, seq: whole['seq'] });
  expect(JSON.stringify(again).length).toBeLessThanOrEqual(300);

  expect(
    codeOf(await refusal(client, 'get_execution_timeline', { execution_id, start_time: '2030-01-01T00:00:00Z' })),
  ).toBe('ARGUMENT_INVALID');
  // A worker's line: idle, busy, or with a failure in it.
  const { cells } = await ask(client, 'get_execution_timeline', { execution_id, slots: 2 });
  expect(cells).toHaveLength(2);
  expect((cells as string[]).join('')).toMatch(/^[.1-9#!]+$/);
  expect((cells as string[]).join('')).toContain('!');
});

it('the timeline of a resumed execution shows the time without a driver', async () => {
  const folder = temporaryFolder();
  const run = startCli(['run', '--speed', '10', '--stf-count', '4'], { folder });
  await run.saw(/start_run/);
  run.child.kill('SIGKILL');
  await run.finished;
  expect((await runCli(['resume', 'latest', '--speed', 'max'], { folder })).code).toBe(0);
  const client = await connectStdio({ folder });
  const { drivers } = await ask(client, 'get_workflow_monitor', { execution_id: 'latest' });
  const [first, second] = drivers as Answer[];
  const { phases } = await ask(client, 'get_execution_timeline', { execution_id: 'latest' });
  expect((phases as Answer[]).filter(({ phase }) => phase === 'undriven')).toEqual([
    { phase: 'undriven', start: first?.['last_heard'], end: second?.['since'] },
  ]);
});

it.each<[column: string, time: string, code: string | undefined]>([
  ['start_time', 'x', 'STORE_CORRUPT'],
  ['end_time', 'x', 'STORE_CORRUPT'],
  ['start_time', '-271821-04-20T00:00:00.000Z', undefined],
  ['end_time', '+275760-09-13T00:00:00.000Z', undefined],
])('the timeline of a damaged store whose %s is %s gives an answer or a plain error', async (column, time, code) => {
  const { path, store } = await storeOfSlices(doneSlices(2, 2));
  store.db.prepare(`UPDATE workflow_executions SET end_time = start_time, ${column} = ?`).run(time);
  const asked = { execution_id: 'latest' };
  const client = await connectInProcess(path);
  if (code === undefined) expect(await ask(client, 'get_execution_timeline', asked)).toHaveProperty('from');
  else expect(codeOf(await refusal(client, 'get_execution_timeline', asked))).toBe(code);
});
