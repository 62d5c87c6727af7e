import { describe, expect, it } from 'vitest';

import { requireExecution } from '../../../src/db/execution/find-execution.ts';
import { audit } from '../../../src/db/reports/audit.ts';
import { makeRunningStore, noCounts, sayShortExecutions } from '../../made-store.ts';

const id = 'stf_datataking-tester-0001';
const params = {
  fast_processing: { stf_count: 2, slices_per_sample: 2 },
  fastmon: { tf_samples_per_stf: 1, tf_fraction: 0.1 },
  worker: { max_retries: 1 },
};
const stfs = [1, 2].map((n) => `swf.100010.00000${n}.stf`);
const tf = (stf: string): string => stf.replace('.stf', '_tf_001.tf');
const slice = (stf: string, n: number): string => stf.replace('.stf', `_slice_00${n}.tf`);

/** An execution of two STF files, a sample of ten frames each, and two slices of each sample; one slice needs a second attempt. */
async function audited(change: string, { isOver = false, isCut = false } = {}) {
  const made = await makeRunningStore(params);
  const { say, store } = made;
  for (const [n, filename] of stfs.entries()) {
    const stf = { filename, sequence: n + 1, tf_count: 100 };
    await say('stf_gen', stf);
    await say('stf_ready', { ...stf, size_bytes: 6400 });
    const sample = { tf_filename: tf(filename), stf_filename: filename };
    await say('tf_file_registered', { ...sample, tf_first: 0, tf_last: 9, tf_count: 10 });
    for (const slice_id of [0, 1]) {
      const one = { slice_id, slice_filename: slice(filename, slice_id), tf_filename: tf(filename) };
      const frames = { stf_filename: filename, start: slice_id * 5, end: slice_id * 5 + 4, tf_count: 5 };
      const by = { ...one, worker_id: 'w/01', hostname: 'host' };
      const isRetried = n === 1 && slice_id === 1;
      await say('slice', { ...one, ...frames, attempt: 1 });
      await say('slice_result', { ...by, attempt: 1, state: isRetried ? 'failed' : 'done' });
      if (!isRetried) continue;
      await say('slice', { ...one, ...frames, attempt: 2 });
      if (!isCut) await say('slice_result', { ...by, attempt: 2, state: 'done' });
    }
  }
  // Neither messages without effect nor those of another execution count.
  await say('stf_gen', { filename: stfs[0] as string, sequence: 1, tf_count: 7 });
  await sayShortExecutions(made, 1);
  if (isOver) {
    await say('end_run', { total_stf_files: 2 });
    await say('workflow_ended', { ...noCounts, status: 'completed', reason: 'completed' });
    await store.write(({ sql }) =>
      sql(`UPDATE workflow_executions SET status = 'completed' WHERE execution_id = ?`).run(id),
    );
  }
  if (change !== '') store.db.exec(change);
  const { verdict, checks } = audit(store.sql, requireExecution(store.sql, id), { isAlive: () => true, now: 0 });
  const faults = checks.filter(({ state }) => state !== 'ok').map(({ check, state, ids }) => [check, state, ...ids]);
  return { verdict, faults };
}

const [first = '', second = ''] = stfs;
const where = (name: string, value: string): string => `WHERE ${name} = '${value}'`;

describe('the audit of an execution', () => {
  it('finds no faults if nothing is missing, and is balanced once the execution has ended', async () => {
    expect(await audited('')).toEqual({ verdict: 'open', faults: [] });
    expect(await audited('', { isOver: true })).toEqual({ verdict: 'balanced', faults: [] });
  });

  it('names a slice that has no final result yet', async () => {
    expect(await audited('', { isCut: true })).toEqual({
      verdict: 'open',
      faults: [['results', 'open', slice(second, 1)]],
    });
  });

  it.each<[what: string, change: string, faults: unknown[][]]>([
    [
      'an STF file that was announced but is not registered',
      `DELETE FROM stf_files ${where('stf_filename', second)}`,
      [
        ['stf_planned', 'broken'],
        ['stf_announced', 'broken', second],
        ['samples', 'broken'],
        ['counts', 'broken', 'stfs_announced', 'stfs_ready', 'dataset_files', 'samples_expected'],
      ],
    ],
    [
      'an STF file that was counted at the end of the run but never announced',
      `UPDATE runs SET total_stf_files = 3 ${where('execution_id', id)}`,
      [['stf_announced', 'broken', 'swf.100010.000003.stf']],
    ],
    [
      'an STF file that is not ready',
      `UPDATE stf_files SET status = 'registered' ${where('stf_filename', first)}`,
      [
        ['stf_ready', 'broken', first],
        ['counts', 'broken', 'stfs_ready', 'dataset_files'],
      ],
    ],
    [
      'a planned slice that is missing',
      `DELETE FROM tf_slices ${where('slice_filename', slice(first, 1))}`,
      [
        ['slices', 'broken', slice(first, 1)],
        ['results', 'broken'],
        ['counts', 'broken', 'slices_created', 'slices_completed'],
      ],
    ],
    [
      'slices that leave a gap',
      `UPDATE tf_slices SET tf_first = tf_first + 1 ${where('slice_filename', slice(first, 1))}`,
      [['coverage', 'broken', tf(first)]],
    ],
    [
      'slices that overlap',
      `UPDATE tf_slices SET tf_first = tf_first - 1 ${where('slice_filename', slice(first, 1))}`,
      [['coverage', 'broken', tf(first)]],
    ],
    [
      'slices that end before their sample',
      `UPDATE tf_slices SET tf_last = tf_last - 1 ${where('slice_filename', slice(first, 1))}`,
      [['coverage', 'broken', tf(first)]],
    ],
    [
      'an attempt whose result had no effect',
      `UPDATE message_rows SET effect = 'none', effect_code = 'X' WHERE short_id LIKE '%/slice_result/${slice(second, 1)}/1%'`,
      [['results', 'broken']],
    ],
    [
      'a slice that failed permanently: nothing',
      `UPDATE tf_slices SET status = 'failed', error = 'x' ${where('slice_filename', slice(second, 1))};
       UPDATE run_states SET slices_completed = 3, slices_failed = 1, slices_exhausted = 1 ${where('execution_id', id)}`,
      [],
    ],
    [
      'a slice that failed with an attempt left',
      `UPDATE tf_slices SET status = 'failed', error = 'x' ${where('slice_filename', slice(first, 1))};
       UPDATE run_states SET slices_completed = 3, slices_failed = 1 ${where('execution_id', id)}`,
      [['results', 'broken', slice(first, 1)]],
    ],
    [
      'a stored count that differs from the rows',
      `UPDATE run_states SET slice_retries = 2`,
      [['counts', 'broken', 'slice_retries']],
    ],
  ])('says what is wrong with %s', async (_, change, faults) => {
    const verdict = faults.length === 0 ? 'balanced' : 'broken';
    expect(await audited(change, { isOver: true })).toEqual({ verdict, faults });
  });
});
