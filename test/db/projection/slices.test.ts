import { describe, expect, it } from 'vitest';

import { requireExecution } from '../../../src/db/execution/find-execution.ts';
import { createQueries } from '../../../src/db/queries.ts';
import { audit } from '../../../src/db/reports/audit.ts';
import { makeRunningStore, noCounts } from '../../made-store.ts';
import { byWorker, row, sample, slice, state, stf, withSlice } from '../one-slice.ts';

const at = (second: number): string => new Date(Date.parse('2026-11-28T10:00:00.000Z') + second * 1000).toISOString();

describe('a slice', () => {
  it('goes from queued through processing to completed', async () => {
    const made = await withSlice();
    expect(row(made)).toMatchObject({ status: 'queued', attempt: 1, assigned_worker: null });
    await made.say('slice_started', byWorker(1));
    expect(row(made)).toMatchObject({ status: 'processing', assigned_worker: 'worker/01' });
    await made.say('slice_result', { ...byWorker(1), state: 'done' });
    expect(row(made)).toMatchObject({ status: 'completed', error: null });
    expect(state(made)).toMatchObject({
      slices_created: 1,
      slices_queued: 0,
      slices_processing: 0,
      slices_completed: 1,
    });
  });

  it.each(['terminated', 'failed'] as const)(
    'in hand when its execution is %s is queued again in the same attempt',
    async (end) => {
      const made = await withSlice();
      await made.say('slice_started', byWorker(1));
      await made.say('workflow_ended', { status: end, reason: 'stopped', ...noCounts });
      expect(row(made)).toMatchObject({ status: 'queued', attempt: 1, assigned_worker: null });
      expect(state(made)).toMatchObject({ slices_queued: 1, slices_processing: 0 });
      expect(made.store.db.prepare('SELECT state, starts FROM slice_attempts').all()).toEqual([
        { state: 'queued', starts: 1 },
      ]);
      // A result that comes after the end does not count.
      expect(await made.say('slice_result', { ...byWorker(1), state: 'done' })).toMatchObject({ effect: 'none' });
      const { sql } = made.store;
      const { checks } = audit(sql, requireExecution(sql, 'latest'), { isAlive: () => undefined, now: Date.now() });
      expect(checks.find(({ check }) => check === 'counts')).toMatchObject({ state: 'ok' });
    },
  );

  it('that is completed never moves back, whatever arrives late or twice', async () => {
    const made = await withSlice();
    await made.say('slice_started', byWorker(1));
    await made.say('slice_result', { ...byWorker(1), state: 'done' });
    const before = { row: row(made), state: state(made) };
    const late = [
      await made.say('slice_started', byWorker(1, '02')),
      await made.say('slice_result', { ...byWorker(1, '02'), state: 'failed', error: 'late' }),
      await made.say('slice_result', { ...byWorker(2), state: 'failed' }),
      await made.say('slice', { ...slice(2), stf_filename: stf, start: 0, end: 0, tf_count: 1 }),
    ];
    expect(late.map(({ effect }) => effect)).toEqual(['none', 'none', 'none', 'none']);
    expect({ row: row(made), state: state(made) }).toEqual(before);
  });

  it('in its second attempt ignores messages about its first', async () => {
    const made = await withSlice({ worker: { max_retries: 2 } });
    await made.say('slice_started', byWorker(1));
    await made.say('slice_result', { ...byWorker(1), state: 'failed', error: 'reason 1' });
    await made.say('slice', { ...slice(2), stf_filename: stf, start: 0, end: 0, tf_count: 1 });
    const queued = { row: row(made), state: state(made) };
    expect(queued.row).toMatchObject({ status: 'queued', attempt: 2 });
    const late = [
      await made.say('slice_started', byWorker(1, '02')),
      await made.say('slice_result', { ...byWorker(1, '02'), state: 'done' }),
    ];
    expect(late).toMatchObject([
      { effect: 'none', effect_code: 'NO_STEP', effect_reason: 'attempt 1 of a slice that is queued in attempt 2' },
      { effect: 'none', effect_code: 'NO_STEP' },
    ]);
    expect({ row: row(made), state: state(made) }).toEqual(queued);
    await made.say('slice_started', byWorker(2));
    expect(await made.say('slice_result', { ...byWorker(1, '03'), state: 'done' })).toMatchObject({ effect: 'none' });
    expect(row(made)).toMatchObject({ status: 'processing', attempt: 2, assigned_worker: 'worker/01' });
  });

  it('that failed is queued again as the next attempt, and both attempts are kept', async () => {
    const made = await withSlice({ worker: { max_retries: 1 } });
    for (const attempt of [1, 2]) {
      if (attempt > 1) await made.say('slice', { ...slice(attempt), stf_filename: stf, start: 0, end: 0, tf_count: 1 });
      await made.say('slice_started', byWorker(attempt));
      await made.say('slice_result', { ...byWorker(attempt), state: 'failed', error: `reason ${attempt}` });
    }
    expect(row(made)).toMatchObject({ status: 'failed', attempt: 2, error: 'reason 2' });
    expect(state(made)).toMatchObject({ slices_failed: 1, slices_exhausted: 1, slices_queued: 0 });
    expect(
      made.store.db.prepare('SELECT attempt, state, error, starts FROM slice_attempts ORDER BY attempt').all(),
    ).toEqual([
      { attempt: 1, state: 'failed', error: 'reason 1', starts: 1 },
      { attempt: 2, state: 'failed', error: 'reason 2', starts: 1 },
    ]);
  });

  it('that failed permanently is not queued again', async () => {
    const made = await withSlice({ worker: { max_retries: 0 } });
    await made.say('slice_result', { ...byWorker(1), state: 'failed' });
    expect(await made.say('slice', { ...slice(2), stf_filename: stf, start: 0, end: 0, tf_count: 1 })).toMatchObject({
      effect: 'none',
    });
    expect(state(made)).toMatchObject({ slices_failed: 1, slices_exhausted: 1, slices_queued: 0 });
  });

  it('that is not in the plan changes nothing', async () => {
    const made = await withSlice();
    const stray = { stf_filename: stf, tf_filename: sample, attempt: 1, start: 1, end: 1, tf_count: 1 };
    const said = [
      await made.say('slice', { ...stray, slice_id: 1, slice_filename: 'anything.tf' }),
      await made.say('slice', { ...stray, slice_id: 15, slice_filename: 'swf.100010.000001_slice_015.tf' }),
      await made.say('slice', { ...stray, slice_id: 1, slice_filename: 'swf.100010.000001_slice_001.tf', tf_count: 9 }),
      await made.say('tf_file_registered', {
        tf_filename: 'swf.100010.000001_tf_002.tf',
        stf_filename: stf,
        tf_first: 20,
        tf_last: 21,
        tf_count: 2,
      }),
    ];
    expect(said.map(({ effect }) => effect)).toEqual(['none', 'none', 'none', 'none']);
    expect(state(made)).toMatchObject({ slices_created: 1, tf_files_received: 1 });
  });

  it('that is not in the plan does not prevent the planned slices from completing', async () => {
    const made = await makeRunningStore({ fast_processing: { stf_count: 1 } });
    await made.say('stf_gen', { filename: stf, sequence: 1, tf_count: 3 });
    await made.say('stf_ready', { filename: stf, sequence: 1, tf_count: 3, size_bytes: 192 });
    const short = { tf_filename: sample, stf_filename: stf, tf_first: 0, tf_last: 2, tf_count: 3 };
    await made.say('tf_file_registered', short);
    // A sample of three frames is cut into three slices of one frame, however many a sample usually has.
    const of = (slice_id: number, start: number, end: number) => ({
      slice_id,
      slice_filename: `swf.100010.000001_slice_${String(slice_id).padStart(3, '0')}.tf`,
      tf_filename: sample,
      stf_filename: stf,
      attempt: 1,
      start,
      end,
      tf_count: end - start + 1,
    });
    for (const one of [of(3, 0, 0), of(9, 0, 2)])
      expect(await made.say('slice', one)).toMatchObject({
        effect: 'none',
        effect_reason: expect.stringContaining(sample),
      });
    expect(state(made)).toMatchObject({ slices_expected: 3, slices_created: 0 });
    for (const id of [0, 1, 2]) {
      expect(await made.say('slice', of(id, id, id))).toMatchObject({ effect: 'applied' });
      const worker = { ...byWorker(1), slice_id: id, slice_filename: of(id, id, id).slice_filename };
      await made.say('slice_result', { ...worker, state: 'done' });
    }
    expect(state(made)).toMatchObject({ slices_expected: 3, slices_created: 3, slices_completed: 3 });
  });

  it.each([
    ['other frames', { start: 1, end: 1 }],
    ['more frames', { start: 0, end: 1, tf_count: 2 }],
    ['a different number of frames', { tf_count: 2 }],
    ['a different id', { slice_id: 1 }],
  ])('with %s than planned changes nothing', async (_, changes) => {
    const made = await makeRunningStore();
    await made.say('stf_gen', { filename: stf, sequence: 1, tf_count: 100 });
    const fifteen = { tf_filename: sample, stf_filename: stf, tf_first: 0, tf_last: 14, tf_count: 15 };
    await made.say('tf_file_registered', fifteen);
    const planned = { ...slice(1), stf_filename: stf, start: 0, end: 0, tf_count: 1 };
    expect(await made.say('slice', { ...planned, ...changes })).toMatchObject({ effect: 'none' });
    expect(state(made)).toMatchObject({ slices_created: 0 });
  });

  it('is not queued again with other frames', async () => {
    const made = await withSlice();
    await made.say('slice_result', { ...byWorker(1), state: 'failed' });
    const again = { ...slice(2), stf_filename: stf, start: 0, end: 3, tf_count: 4 };
    expect(await made.say('slice', again)).toMatchObject({ effect: 'none' });
    expect(state(made)).toMatchObject({ slices_failed: 1, slices_queued: 0 });
  });

  it.each([
    ['counts as retried if its worker has not been heard from since', at(11), at(1), 1],
    ['counts as retried if its worker is another process now', at(90), at(20), 1],
    ['does not count as retried if its worker is alive: a broker has delivered the slice twice', at(90), at(1), 0],
  ])('started again %s', async (_, heard, registered, lost) => {
    const made = await withSlice();
    const { db } = made.store;
    db.prepare(
      `INSERT INTO processes (process_id, pid, pid_started, hostname, version, registered_at, last_beat) VALUES (99, 1, '', 'h', '', ?, ?)`,
    ).run(registered, heard);
    db.prepare(
      `INSERT INTO system_agents (agent_name, agent_type, namespace, state, last_heartbeat, process_id) VALUES ('worker', 'worker', '', 'READY', ?, 99)`,
    ).run(heard);
    await made.say('slice_started', { ...byWorker(1), timestamp: at(10) });
    await made.say('slice_started', { ...byWorker(1, '02'), timestamp: at(15) });
    const states = db.prepare(`SELECT state, worker_id FROM v_attempts WHERE attempt = 1 ORDER BY worker_id`).all();
    expect(states).toEqual([
      ...(lost === 0 ? [] : [{ state: 'lost', worker_id: 'worker/01' }]),
      { state: 'processing', worker_id: 'worker/02' },
    ]);
    const retries = (view: string) => db.prepare(`SELECT retries FROM ${view}`).pluck().get();
    expect([retries('v_slices'), retries('v_executions')]).toEqual([lost, lost]);
  });

  it('started again by another worker is named in the finding about the vanished agent', async () => {
    const made = await withSlice();
    const { db } = made.store;
    db.exec(
      `INSERT INTO processes (process_id, pid, pid_started, hostname, version, registered_at, last_beat) VALUES (99, 4242, '', 'h', '', '${at(1)}', '${at(11)}');
       INSERT INTO system_agents (agent_name, agent_type, namespace, state, last_heartbeat, process_id, current_execution_id)
         SELECT 'worker', 'worker', '', 'PROCESSING', '${at(11)}', 99, execution_id FROM workflow_executions`,
    );
    await made.say('slice_started', { ...byWorker(1), timestamp: at(10) });
    await made.say('slice_started', { ...byWorker(1), worker_id: 'other/01', timestamp: at(15) });
    const queries = createQueries(db, ({ pid }) => pid !== 4242);
    const { findings } = queries.assessWithFindings(
      queries.execution('stf_datataking-tester-0001'),
      Date.now(),
      undefined,
    );
    expect(findings.find(({ code }) => code === 'AGENT_GONE')?.sentence).toContain(
      `worker with 1 TF slice in progress. Their slices: ${byWorker(1).slice_filename} was started again by other/01.`,
    );
  });

  it('of a vanished worker can be started again in the same attempt', async () => {
    const made = await withSlice();
    await made.say('slice_started', byWorker(1));
    expect(await made.say('slice_started', byWorker(1, '02'))).toMatchObject({ effect: 'applied' });
    expect(row(made)).toMatchObject({ status: 'processing', attempt: 1, assigned_worker: 'worker/02' });
    expect(state(made)).toMatchObject({ slices_processing: 1 });
    expect(made.store.db.prepare('SELECT starts FROM slice_attempts').get()).toEqual({ starts: 2 });
  });
});
