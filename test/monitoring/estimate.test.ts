import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { type TimedStep, advance, nextStep, plannedStfCount, startPosition } from '../../src/domain/daq-schedule.ts';
import { executionParamsSchema } from '../../src/domain/params.ts';
import { type PlayedRun, playRun } from '../../src/domain/plan/played-run.ts';
import type { Phase } from '../../src/domain/run-phases.ts';
import { daqAhead, timeLeft } from '../../src/monitoring/estimate.ts';
import type { Facts } from '../../src/monitoring/facts.ts';

const began = Date.parse('2026-01-01T00:00:00Z');
const at = (tick: number): string => new Date(began + tick * 1000).toISOString();

const phaseAfter: Partial<Record<TimedStep['msg_type'], Phase>> = {
  run_imminent: 'imminent',
  start_run: 'physics',
  resume_run: 'physics',
  pause_run: 'standby',
  end_run: 'completed',
};

/** The whole schedule of a run whose slices take no time, sampled in the middle of each of its steps. */
function looks(settings: object) {
  const parsed = executionParamsSchema.parse(settings);
  const params = {
    ...parsed,
    speed: 1,
    fast_processing: { ...parsed.fast_processing, slice_processing_time: 0 },
  } as Facts['params'];
  const moments: { tick: number; since: number; facts: Facts }[] = [];
  const stfs: number[] = [];
  let [position, phase, changedAt, lastStf] = [startPosition, 'none' as Phase, at(0), undefined as string | undefined];
  for (;;) {
    const before = position.last?.tick ?? 0;
    const step = nextStep(position, params);
    for (const part of [0.1, 0.5, 0.9]) {
      const tick = before + (step.tick - before) * part;
      moments.push({
        tick,
        since: before,
        facts: factsAt(tick, { stfs: position.stfs, phase, changedAt, lastStf, params }),
      });
    }
    if (step.msg_type === 'finished')
      return moments.map(({ tick, since, facts }) => ({
        tick,
        left: step.tick - tick,
        told: timeLeft(facts, 'progressing'),
        ahead: daqAhead(facts),
        // From the DAQ's last step on.
        schedule: {
          stfs: stfs.slice(facts.counts.stf_count).map((stf) => ({ at: stf - since, count: 1 })),
          end: step.tick - since,
        },
      }));
    position = advance(position, step, params);
    if (step.msg_type === 'stf_gen') {
      lastStf = at(step.tick);
      stfs.push(step.tick);
    }
    const next = phaseAfter[step.msg_type];
    if (next !== undefined) [phase, changedAt] = [next, at(step.tick)];
  }
}

interface Moment {
  stfs: number;
  phase: Phase;
  changedAt: string;
  lastStf: string | undefined;
  params: Facts['params'];
}

/** Every slice that can be done by then is done. */
function factsAt(tick: number, { stfs, phase, changedAt, lastStf, params }: Moment): Facts {
  const planned = plannedStfCount(params) ?? 0;
  return {
    now: began + tick * 1000,
    until: began + tick * 1000,
    ahead_seconds: 0,
    status: 'running',
    phase,
    start_time: at(0),
    end_time: null,
    waiting_since: {},
    others_in_hand: 0,
    standbys: [],
    slots: params.fast_processing.target_worker_count,
    phase_changed_at: changedAt,
    isHeld: false,
    params,
    hasChangedSpeed: false,
    isOverBroker: false,
    broker_away_since: undefined,
    counts: {
      stf_count: stfs,
      tf_files_received: stfs,
      slices_created: stfs,
      slices_queued: 0,
      slices_processing: 0,
      slices_completed: stfs,
      slices_failed: 0,
    },
    stfs_ready: stfs,
    samples_expected: stfs,
    samples_of_unready: 0,
    slices_expected: stfs,
    stf_planned: planned,
    slices_planned: planned,
    slices_final: stfs,
    slice_retries: 0,
    delays: [],
    first_stf_at: lastStf,
    last_stf_at: lastStf,
    first_slice_at: undefined,
    failing: undefined,
    idle: [],
    in_hand: [],
    lost: [],
    driver: { alive: true, silent: false, since: at(0) },
  };
}

const schedules: [what: string, settings: object][] = [
  ['the default', {}],
  ['one STF', { fast_processing: { stf_count: 1 } }],
  [
    'three periods with long standby',
    {
      fast_processing: { stf_count: 4, physics_period_count: 3 },
      daq_state_machine: { standby_duration: 60, stf_interval: 7 },
    },
  ],
  [
    'periods of a given duration',
    {
      fast_processing: { stf_count: 0, physics_period_count: 2 },
      daq_state_machine: { physics_period_duration: 50, stf_interval: 6 },
    },
  ],
  ['a long end', { daq_state_machine: { beam_not_ready_end_delay: 45 }, fast_processing: { stf_count: 2 } }],
];

describe('the remaining time of a run whose workers keep up', () => {
  it.each(schedules)('lies between the estimated bounds at every moment, for %s', (_, settings) => {
    const all = looks(settings);
    expect(all.length).toBeGreaterThan(10);
    for (const { tick, left, told } of all) {
      expect({ tick, left, told, holds: (told?.at_least ?? NaN) <= left + 1.5 }).toMatchObject({ holds: true });
      expect({ tick, left, told, holds: (told?.at_most ?? NaN) >= left - 1.5 }).toMatchObject({ holds: true });
    }
  });
});

describe('the remaining steps of the DAQ', () => {
  it.each(schedules)('equal those of its schedule at every moment, for %s', (_, settings) => {
    for (const { tick, ahead, schedule } of looks(settings)) {
      const rounded = ({ stfs, end }: Pick<typeof ahead, 'stfs' | 'end'>) => ({
        tick,
        stfs: stfs.map((stf) => ({ ...stf, at: Math.round(stf.at * 1000) })),
        end: Math.round(end * 1000),
      });
      expect(rounded(ahead)).toEqual(rounded(schedule));
    }
  });
});

describe('the remaining time of a run that has just begun', () => {
  /** The result of `plan_run` for it. */
  const played = (params: Facts['params']): PlayedRun => {
    const steps = playRun(params);
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
    }
  };

  it('equals the time that plan_run predicts, for any parameters', () => {
    fc.assert(
      fc.property(
        fc.record({
          stf_count: fc.integer({ min: 1, max: 40 }),
          physics_period_count: fc.integer({ min: 1, max: 4 }),
          target_worker_count: fc.integer({ min: 1, max: 60 }),
          slice_processing_time: fc.integer({ min: 1, max: 120 }),
        }),
        fc.record({
          stf_interval: fc.integer({ min: 1, max: 20 }),
          standby_duration: fc.integer({ min: 0, max: 400 }),
          no_beam_not_ready_delay: fc.integer({ min: 0, max: 2000 }),
          beam_not_ready_end_delay: fc.integer({ min: 0, max: 60 }),
        }),
        (fast_processing, daq_state_machine) => {
          const parsed = executionParamsSchema.parse({ fast_processing, daq_state_machine });
          const params = { ...parsed, speed: 1 } as Facts['params'];
          const facts = factsAt(0, { stfs: 0, phase: 'none', changedAt: at(0), lastStf: undefined, params });
          const { slices, total_seconds: total } = played(params);
          const told = timeLeft({ ...facts, slices_planned: slices }, 'progressing');
          expect({ told, total, holds: Math.abs((told?.seconds_left ?? NaN) - total) <= 1 }).toMatchObject({
            holds: true,
          });
        },
      ),
    );
  });

  it.each([
    ['a billion STFs', { fast_processing: { stf_count: 1_000_000_000 } }, {}],
    ['a million periods', { fast_processing: { stf_count: 1, physics_period_count: 1_000_000 } }, {}],
    ['a thousand slices in hand', { fast_processing: { stf_count: 10_800 } }, { in_hand: 1000 }],
    ['only failed attempts', { fast_processing: { stf_count: 10_800 } }, { slice_retries: 100_000 }],
  ])(
    'takes at most five seconds of processor time to estimate, with %s',
    (_, settings, { in_hand = 0, slice_retries = 0 }: Record<string, number>) => {
      const params = { ...executionParamsSchema.parse(settings), speed: 1 } as Facts['params'];
      const stfs = plannedStfCount(params) ?? 0;
      const facts = factsAt(1000, { stfs: 1, phase: 'physics', changedAt: at(900), lastStf: at(999), params });
      const slice = { slice_filename: 's', assigned_worker: 'w/1', since: at(990), attempt: 1, isLost: false };
      const before = process.cpuUsage();
      const told = timeLeft(
        {
          ...facts,
          slices_planned: 15 * stfs,
          slices_final: 0,
          slice_retries,
          in_hand: Array.from({ length: in_hand }, () => slice),
        },
        'progressing',
      );
      // Milliseconds of processor time if nothing is played twice; minutes otherwise.
      expect(process.cpuUsage(before).user / 1000).toBeLessThan(5000);
      const { slice_processing_time: service, target_worker_count: workers } = params.fast_processing;
      const atLeast = ((15 * stfs - in_hand) * service) / Math.max(workers, in_hand);
      expect(told?.seconds_left).toBeGreaterThan(atLeast * 0.99);
      const { stf_interval, stf_generation_time, broadcast_delay, standby_duration } = params.daq_state_machine;
      const standby = 2 * broadcast_delay + standby_duration;
      const daq = stfs * (stf_interval + stf_generation_time) + params.fast_processing.physics_period_count * standby;
      const attempts = slice_retries === 0 ? 1 : 1 + params.worker.max_retries;
      expect(told?.seconds_left).toBeLessThan(1.02 * Math.max(atLeast * attempts, daq) + service);
    },
  );
});

describe('the remaining time of a run whose files wait', () => {
  const parsed = executionParamsSchema.parse({});
  const params = { ...parsed, speed: 1 } as Facts['params'];
  const waiting = {
    ...factsAt(100, { stfs: 2, phase: 'physics', changedAt: at(60), lastStf: at(98), params }),
    slices_planned: 150,
    stfs_ready: 0,
  };

  it.each([
    ['the agent has just received the first file', 98, true],
    ['the agent may still be busy with the first file', 81, true],
    ['the agent has been idle for longer than usual', 79, false],
    ['the agent is stuck', 30, false],
  ])('is known only if the agents seem to be working: %s', (_, since, isKnown) => {
    expect(timeLeft({ ...waiting, waiting_since: { data: at(since) } }, 'slow') !== undefined).toBe(isKnown);
  });

  it.each([
    ['workers may still take the slices', 11, 0, true],
    ['no worker has begun any slice for longer than usual', 9, 0, false],
    ['a worker has one of the slices', 9, 1, true],
  ])('is known only if the agents seem to be working: %s', (_, since, held, isKnown) => {
    const slice = { slice_filename: 's', assigned_worker: 'w/1', since: at(since), attempt: 1, isLost: false };
    const queued = { ...waiting.counts, slices_created: 30, slices_queued: 30 - held };
    const facts = { ...waiting, stfs_ready: 2, counts: queued, in_hand: Array.from({ length: held }, () => slice) };
    expect(timeLeft({ ...facts, waiting_since: { worker: at(since) } }, 'slow') !== undefined).toBe(isKnown);
  });
});

describe('the remaining time of a run at full speed', () => {
  const parsed = executionParamsSchema.parse({ worker: { max_retries: 2 } });
  const params = { ...parsed, speed: 'max' } as Facts['params'];
  const half = {
    ...factsAt(10, { stfs: 10, phase: 'physics', changedAt: at(0), lastStf: at(10), params }),
    slices_planned: 20,
  };

  it.each([
    ['no retries', 0, 10],
    ['one retry for every two slices', 5, 15],
    ['as many retries as slices', 10, 20],
    ['more retries than a slice may have', 1000, 30],
  ])('is the time that its attempts take at the rate so far, with %s', (_, slice_retries, seconds_left) => {
    expect(timeLeft({ ...half, slice_retries }, 'progressing')).toMatchObject({ seconds_left });
  });

  it('is unknown while every slice so far has failed', () => {
    const counts = { ...half.counts, slices_completed: 0, slices_failed: half.counts.slices_completed };
    expect(timeLeft({ ...half, counts }, 'progressing')).toBeUndefined();
  });
});

describe('the remaining time of a run whose slices are retried', () => {
  // One worker, one slice of a second for each STF, an STF every ten seconds, and nothing waits.
  const parsed = executionParamsSchema.parse({
    worker: { max_retries: 2 },
    fast_processing: { stf_count: 20, slice_processing_time: 1, target_worker_count: 1, slices_per_sample: 1 },
    daq_state_machine: { stf_interval: 8, stf_generation_time: 2, broadcast_delay: 0, beam_not_ready_end_delay: 0 },
  });
  const params = { ...parsed, speed: 1 } as Facts['params'];
  const slow = (service: number): Facts['params'] => ({
    ...params,
    fast_processing: { ...params.fast_processing, slice_processing_time: service },
  });
  const half = (of: Facts['params']) =>
    factsAt(100, { stfs: 10, phase: 'physics', changedAt: at(0), lastStf: at(100), params: of });

  it.each([
    // The DAQ makes ten more STFs, and the last of their slices takes its time.
    ['each attempt fits between two STFs', 1, 0, 101],
    ['second attempts also fit between two STFs', 1, 10, 102],
    // Fifteen seconds for each: the slices follow each other.
    ['workers lag', 15, 0, 160],
    ['workers lag twice as far', 15, 10, 310],
    ['no slice has more attempts than allowed', 15, 1000, 460],
  ])('includes the retries: %s', (_, service, slice_retries, seconds_left) => {
    expect(timeLeft({ ...half(slow(service)), slice_retries }, 'progressing')).toMatchObject({ seconds_left });
  });
});
