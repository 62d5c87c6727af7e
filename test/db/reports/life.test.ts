import { expect, it } from 'vitest';

import { requireExecution } from '../../../src/db/execution/find-execution.ts';
import { registerProcess, takeOwnership } from '../../../src/db/presence/leases.ts';
import { createQueries } from '../../../src/db/queries.ts';
import { secondsOfLife } from '../../../src/db/reports/life.ts';
import { createMetrics } from '../../../src/http/metrics.ts';
import { makeRunningStore } from '../../made-store.ts';
import { answerTo, contextOf, noPast } from '../../past/questions.ts';

const id = 'stf_datataking-tester-0001';
const isAlive = (): boolean => true;

it.each([
  [-3_600_000, undefined],
  [-8000, undefined],
  [-4000, 0],
  [60_000, 60],
])('with the clock %d ms ahead of its newest row, an execution has lasted %s s', async (shift, lasted) => {
  const { store } = await makeRunningStore();
  const execution = requireExecution(store.sql, id);
  const recorded = store.sql<number>('SELECT max(recorded_ms) FROM message_rows').value() ?? 0;
  const now = recorded + shift;
  const queries = createQueries(store.db, Object.assign(isAlive, { now }));
  const seconds = secondsOfLife(store.sql, execution, { isAlive, now });
  expect(seconds === undefined ? undefined : Math.round(seconds)).toBe(lasted);
  const listed = await answerTo(['list_workflow_executions', {}], contextOf(queries, now, noPast));
  expect((listed as { items: { duration_seconds?: number }[] }).items[0]?.duration_seconds).toBe(seconds);
  const monitor = await answerTo(['get_workflow_monitor', { execution_id: id }], contextOf(queries, now, noPast));
  expect((monitor as { duration_seconds?: number }).duration_seconds).toBe(seconds);
  const report = await answerTo(['shift_report', {}], contextOf(queries, now, noPast));
  const [first = ''] = (report as { open: string[] }).open;
  expect(/^CLOCK_OFF: the newest row of the store is (?:1 h|8 s) ahead of this machine's clock/.test(first)).toBe(
    lasted === undefined,
  );
});

it.each([
  [-3_600_000, undefined],
  [60_000, 60],
])(
  'with the clock %d ms ahead of its newest row, an execution without a driver has been silent for %s s',
  async (shift, silent) => {
    const { store } = await makeRunningStore();
    await store.write((tx) => {
      const driver = registerProcess(tx, { pid: 1, pid_started: '', hostname: 'host' }, '0');
      takeOwnership(tx, id, driver, isAlive);
    });
    const now = Date.now() + shift;
    const queries = createQueries(
      store.db,
      Object.assign(() => false, { now }),
    );
    expect(queries.isSilent(requireExecution(store.sql, id))).toBe(true);
    const listed = await answerTo(['list_workflow_executions', {}], contextOf(queries, now, noPast));
    const [row] = (listed as { items: { silent_seconds?: number; health?: string }[] }).items;
    expect(row?.health).toBe('stalled');
    expect(row?.silent_seconds === undefined ? undefined : Math.round(row.silent_seconds)).toBe(silent);
  },
);

it('with the clock behind, the overdue slices are unknown, and the timeline still has every row', async () => {
  const { store, say } = await makeRunningStore();
  const [stf, tf] = ['swf.100010.000001.stf', 'swf.100010.000001_tf_001.tf'];
  const slice = { slice_id: 0, slice_filename: 'swf.100010.000001_slice_000.tf', tf_filename: tf, attempt: 1 };
  await say('stf_gen', { filename: stf, sequence: 1, tf_count: 100 });
  await say('stf_ready', { filename: stf, sequence: 1, tf_count: 100, checksum: 'a', size_bytes: 1 });
  await say('tf_file_registered', { tf_filename: tf, stf_filename: stf, tf_first: 0, tf_last: 14, tf_count: 15 });
  await say('slice', { ...slice, stf_filename: stf, start: 0, end: 0, tf_count: 1 });
  await say('slice_started', { ...slice, worker_id: 'worker-agent-tester-5/01', hostname: 'host' });
  const overdueBy = async (shift: number): Promise<unknown[]> => {
    const queries = createQueries(store.db, isAlive);
    const now = Date.now() + shift;
    const monitor = await answerTo(['get_workflow_monitor', { execution_id: id }], contextOf(queries, now, noPast));
    const figures = createMetrics('0').text(queries, now);
    return [
      (monitor as { slices_overdue?: number }).slices_overdue,
      /^swf_execution_slices_overdue\{.*\} (\d+)$/m.exec(figures)?.[1],
    ];
  };
  expect(await overdueBy(-3_600_000)).toEqual([undefined, undefined]);
  expect(await overdueBy(0)).toEqual([0, '0']);
  expect(await overdueBy(300_000)).toEqual([1, '1']);
  const behind = contextOf(createQueries(store.db, isAlive), Date.now() - 3_600_000, noPast);
  const timeline = (await answerTo(['get_execution_timeline', { execution_id: id }], behind)) as { until: string };
  const newest = store.sql<number>('SELECT max(recorded_ms) FROM message_rows').value();
  expect(Date.parse(timeline.until)).toBeGreaterThanOrEqual(newest ?? Infinity);
});
