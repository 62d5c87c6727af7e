import { describe, expect, it } from 'vitest';

import { openOverview, phaseOf } from '../../../src/db/execution/overview.ts';
import { noteApplied } from '../../../src/db/log/commands.ts';
import { makeRunningStore, makeStore, noCounts } from '../../made-store.ts';
import { byWorker, sample, secondSlice, slice, stf } from '../one-slice.ts';

const execution_id = 'stf_datataking-tester-0001';

describe('the phase of a run', () => {
  it('is "none" if the run is unknown', async () => {
    const { store } = await makeStore();
    expect(phaseOf(store.sql, execution_id)).toBeUndefined();
    expect(openOverview(store.sql, execution_id).phase()).toBe('none');
  });

  it('follows from its messages', async () => {
    const { store } = await makeRunningStore();
    expect(phaseOf(store.sql, execution_id)).toBe('physics');
    expect(openOverview(store.sql, execution_id).phase()).toBe('physics');
  });
});

describe('a run', () => {
  it('is settled only once it has ended and all its files, samples and slices are done', async () => {
    const made = await makeRunningStore({ worker: { max_retries: 0 }, fast_processing: { slices_per_sample: 2 } });
    const overview = openOverview(made.store.sql, execution_id);
    const cut = { stf_filename: stf, tf_count: 1 };
    const steps: [step: () => Promise<unknown>, settled: boolean][] = [
      [() => made.say('stf_gen', { filename: stf, sequence: 1, tf_count: 100 }), false],
      [
        () =>
          made.say('tf_file_registered', {
            tf_filename: sample,
            stf_filename: stf,
            tf_first: 0,
            tf_last: 1,
            tf_count: 2,
          }),
        false,
      ],
      [() => made.say('slice', { ...slice(1), ...cut, start: 0, end: 0 }), false],
      [() => made.say('slice', { ...secondSlice, ...cut, start: 1, end: 1 }), false],
      [() => made.say('stf_ready', { filename: stf, sequence: 1, tf_count: 100 }), false],
      [() => made.say('slice_result', { ...byWorker(1), state: 'done' }), false],
      [() => made.say('end_run', { total_stf_files: 1, reason: 'completed' }), false],
      // A slice that failed permanently is done too.
      [() => made.say('slice_result', { ...byWorker(1), ...secondSlice, state: 'failed' }), true],
    ];
    for (const [step, settled] of steps) {
      await step();
      expect(overview.isSettled()).toBe(settled);
    }
    expect(overview.counts()).toEqual({
      ...noCounts,
      stf_count: 1,
      tf_files_received: 1,
      slices_created: 2,
      slices_completed: 1,
      slices_failed: 1,
    });
    expect(openOverview(made.store.sql, 'another').isSettled()).toBe(false);
  });

  it('without files is settled once it has ended', async () => {
    const made = await makeRunningStore();
    const overview = openOverview(made.store.sql, execution_id);
    expect(overview.isSettled()).toBe(false);
    await made.say('end_run', { total_stf_files: 0, reason: 'completed' });
    expect(overview.isSettled()).toBe(true);
  });

  it('shows its driver the oldest pending stop, and the oldest pending pause or resume', async () => {
    const made = await makeRunningStore();
    const overview = openOverview(made.store.sql, execution_id);
    const pending = () => [overview.pendingStop()?.command_id, overview.pendingPause()?.command_id];
    expect(pending()).toEqual([undefined, undefined]);
    const { message_id } = await made.say('resume_workflow', { command_id: 'r1' });
    await made.say('stop_workflow', { command_id: 's1' });
    await made.say('stop_workflow', { command_id: 's2' });
    await made.say('pause_workflow', { command_id: 'p1' });
    expect(pending()).toEqual(['s1', 'r1']);
    await made.store.write((tx) => noteApplied(tx, message_id));
    expect(pending()).toEqual(['s1', 'p1']);
  });
});
