import { describe, expect, it } from 'vitest';

import { executionParamsSchema } from '../../src/domain/params.ts';
import { type PlayedRun, playRun } from '../../src/domain/plan/played-run.ts';

type Sections = Record<string, Record<string, unknown>>;

/** A DAQ without delays, so that times can be computed by hand: an STF every 2 s. */
const daq = {
  no_beam_not_ready_delay: 0,
  beam_not_ready_delay: 0,
  beam_ready_delay: 0,
  beam_not_ready_end_delay: 0,
  broadcast_delay: 0,
  stf_interval: 2,
  stf_generation_time: 0,
  standby_duration: 100,
  tf_per_stf: 100,
  tf_size_bytes: 64,
};

const fast = {
  stf_count: 4,
  physics_period_count: 1,
  target_worker_count: 2,
  slices_per_sample: 3,
  slice_processing_time: 1,
};

function played(more: Sections = {}): PlayedRun {
  const params = executionParamsSchema.parse({
    daq_state_machine: { ...daq, ...more['daq_state_machine'] },
    fast_processing: { ...fast, ...more['fast_processing'] },
    fastmon: { tf_fraction: 0.15, ...more['fastmon'] },
    data: { write_files: true, ...more['data'] },
  });
  const steps = playRun(params);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

const fields = (run: PlayedRun, ...names: (keyof PlayedRun)[]): unknown[] => names.map((name) => run[name]);

describe('a simulated run', () => {
  it('has the files, slices and messages of its plan', () => {
    const run = played();
    expect(fields(run, 'stf_files', 'tf_files', 'slices', 'isEndless')).toEqual([4, 4, 12, false]);
    // 7 of start, phases, driver and end; 2 an STF; 1 a sample; 3 a slice.
    expect(run.messages).toBe(7 + 8 + 4 + 36);
    expect(run.data_bytes).toBe((400 + 60) * 64);
  });

  it('has no bytes if no files are written, and no samples for STFs that sampling skips', () => {
    expect(played({ data: { write_files: false } }).data_bytes).toBe(0);
    const half = played({ fast_processing: { stf_sampling_rate: 0.5 } });
    expect(fields(half, 'stf_files', 'tf_files', 'slices')).toEqual([4, 2, 6]);
    const none = played({ fast_processing: { stf_sampling_rate: 0 } });
    expect(fields(none, 'tf_files', 'slices', 'workers_needed', 'worker_use', 'longest_wait')).toEqual([0, 0, 0, 0, 0]);
    expect(none.total_seconds).toBe(none.daq_seconds);
  });

  it('has the configured number of samples for each STF', () => {
    const run = played({ fastmon: { tf_samples_per_stf: 2 } });
    expect(fields(run, 'tf_files', 'slices')).toEqual([8, 24]);
    expect(run.data_bytes).toBe((400 + 60) * 64);
  });

  it('lasts until its last result', () => {
    // Three slices of 1 s on two workers: the third begins a second later.
    const run = played();
    expect(run.longest_wait).toBe(1);
    expect(run.daq_seconds).toBe(6);
    expect(run.total_seconds).toBe(8);
    const slow = played({ fast_processing: { slice_processing_time: 10 } });
    // Twelve slices of 10 s on two workers, from 0 on.
    expect(fields(slow, 'total_seconds', 'worker_use', 'longest_wait')).toEqual([60, 1, 44]);
  });

  it('needs as many workers as it has slices in hand at the same time', () => {
    expect(played().workers_needed).toBe(2);
    expect(played({ fast_processing: { slice_processing_time: 10 } }).workers_needed).toBe(12);
    expect(played({ fast_processing: { slice_processing_time: 4 } }).workers_needed).toBe(6);
    expect(played({ fast_processing: { slice_processing_time: 0.1 } }).workers_needed).toBe(1);
    expect(played({ daq_state_machine: { stf_interval: 0 } }).workers_needed).toBe(12);
    expect(
      played({ daq_state_machine: { stf_interval: 0 }, fast_processing: { stf_count: 1, slices_per_sample: 5 } })
        .workers_needed,
    ).toBe(5);
  });

  it('starts no slice in standby, and counts the messages sent in standby', () => {
    const run = played({
      fast_processing: { physics_period_count: 2, stf_count: 1, target_worker_count: 1, slice_processing_time: 3 },
    });
    expect(fields(run, 'stf_files', 'slices')).toEqual([2, 6]);
    expect(run.messages).toBe(7 + 2 + 4 + 2 + 18);
    expect(run.longest_wait).toBeGreaterThan(100);
    const many = played({ fast_processing: { physics_period_count: 2, stf_count: 1, target_worker_count: 30 } });
    // The first STF comes with the pause, so its slices wait for all of it, and those of the second for nothing.
    expect(many.longest_wait).toBe(100);
  });

  it('covers only its first period if it has no end', () => {
    const run = played({ fast_processing: { physics_period_count: 0 } });
    expect(fields(run, 'stf_files', 'isEndless')).toEqual([4, true]);
  });

  it('is refused if it is too large', () => {
    expect(() => played({ fast_processing: { stf_count: 100_001 } })).toThrow(
      /^the run has more than 100000 DAQ steps, too many/,
    );
    expect(() =>
      played({
        fast_processing: { stf_count: 30_000, slices_per_sample: 50 },
        daq_state_machine: { tf_per_stf: 1000 },
      }),
    ).toThrow(/^the run has more than 1000000 slices, too many to simulate; plan a part/);
    expect(() => played({ fast_processing: { stf_count: 100_001 } })).toThrow(
      expect.objectContaining({ code: 'ARGUMENT_INVALID' }),
    );
  });

  it('yields between its steps, so that other requests are served', () => {
    const params = executionParamsSchema.parse({ fast_processing: { stf_count: 5000 } });
    const steps = playRun(params);
    let turns = 0;
    while (steps.next().done !== true) turns += 1;
    expect(turns).toBeGreaterThan(2);
    expect(turns).toBeLessThan(20);
  });
});
