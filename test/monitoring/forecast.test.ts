import { describe, expect, it } from 'vitest';

import { deadlineOf, forecastOf } from '../../src/monitoring/capacity.ts';
import { ago, factsOf } from './situation.ts';

const none = { slices_created: 0, slices_completed: 0, slices_queued: 0 };

describe('the forecast times in a monitor', () => {
  it('are the expected end, and the time of the first slice', () => {
    expect(forecastOf(factsOf(), 90)).toEqual({ expected_end: ago(-90), first_slice_at: ago(575) });
    expect(forecastOf(factsOf(), undefined).expected_end).toBeUndefined();
  });

  it.each([
    ['from the schedule', {}, {}, ago(-50)],
    ['but not in a pause', { isHeld: true }, {}, undefined],
    ['but not if that slice is late', { start_time: ago(700) }, {}, undefined],
    ['but not if nothing is sampled', {}, { fast_processing: { stf_sampling_rate: 0 } }, undefined],
    ['but not without a driver', { driver: { alive: false, silent: true, since: ago(600) } }, {}, undefined],
  ])('include the time at which the first slice is due, %s', (_, facts, params, expected) => {
    const daq_state_machine = {
      no_beam_not_ready_delay: 600,
      broadcast_delay: 0,
      beam_not_ready_delay: 0,
      beam_ready_delay: 0,
      stf_generation_time: 50,
    };
    const given = { first_slice_at: undefined, ...facts };
    const found = forecastOf(
      factsOf({ facts: given, counts: none, params: { daq_state_machine, ...params } }),
      undefined,
    );
    expect(found.first_slice_at).toBe(expected);
  });

  it('include when the current and the last possible attempt of a slice would time out', () => {
    const slice = {
      slice_filename: 's',
      assigned_worker: 'w/01',
      since: ago(20),
      attempt: 2,
      isLost: false,
      seconds: 20,
    };
    const payload = factsOf({ params: { worker: { payload: ['recon'], timeout_seconds: 100, max_retries: 3 } } });
    expect(deadlineOf(slice, payload)).toEqual({ deadline: ago(-80), worst_end: ago(-280) });
    expect(deadlineOf({ ...slice, attempt: 4 }, payload)).toEqual({ deadline: ago(-80), worst_end: ago(-80) });
    expect(deadlineOf(slice, factsOf())).toBeUndefined();
  });
});
