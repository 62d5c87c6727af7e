import { argumentInvalid } from '../../lib/errors.ts';
import type { Steps } from '../../lib/steps.ts';
import { advance, nextStep, startPosition, type TimedStep } from '../daq-schedule.ts';
import type { ExecutionParams } from '../params.ts';
import { planOf } from './versions.ts';

/** When slices arrive at workers. Times are in seconds. */
export interface Arrivals {
  /** The times at which slices arrive, in order; `counts` has the number of slices at each time. */
  ticks: number[];
  counts: number[];
  /** Periods in which workers take no slices, in order. */
  standbys: { from: number; to: number }[];
}

/**
 * Gives each slice to the worker that is free first. No slice starts in standby.
 * @param freeAt when each worker becomes free, in order; modified
 * @returns when the last slice is done (0 without slices), the fraction of all workers' time spent working from
 * the first slice to the last result, and the longest time that a slice waits for a worker
 */
export function playWork({ ticks, counts, standbys }: Arrivals, freeAt: Float64Array, service: number) {
  const workers = freeAt.length;
  // All slices take equally long, so workers become free in the order in which they started their slices.
  let [next, standby, slices, last, longestWait] = [0, 0, 0, 0, 0];
  for (const [at, tick] of ticks.entries())
    for (let n = counts[at] ?? 0; n > 0; n -= 1) {
      let start = Math.max(tick, freeAt[next] ?? 0);
      while ((standbys[standby]?.to ?? Infinity) <= start) standby += 1;
      const pause = standbys[standby];
      if (pause !== undefined && start >= pause.from) start = pause.to;
      longestWait = Math.max(longestWait, start - tick);
      freeAt[next] = start + service;
      last = Math.max(last, start + service);
      next = (next + 1) % workers;
      slices += 1;
    }
  const first = ticks[0] ?? 0;
  return { last, use: last > first ? (slices * service) / (workers * (last - first)) : 0, longestWait };
}

/**
 * The expected course of a run if nothing fails and machines are not a bottleneck. Times are in seconds of
 * simulated time.
 */
export type PlayedRun = ReturnType<typeof playedOn>;

/** Maximum number of slices to simulate: about a second of computing. */
const maxSlices = 1_000_000;
const maxSteps = 100_000;

/** Number of DAQ steps or slices between two pauses for other work. */
const inOneTurn = 2000;

/** Number of messages that are not about a file or slice: start, driver, phases, end. */
const framingMessages = 7;

type Schedule = ReturnType<typeof noArrivals>;

const noArrivals = () => ({
  ticks: [] as number[],
  counts: [] as number[],
  standbys: [] as Arrivals['standbys'],
  stfs: 0,
  samples: 0,
  slices: 0,
  frames: 0,
  phaseMessages: 0,
  daqEnd: 0,
});

/**
 * Simulates the schedule and the plan of a run in memory. Throws `ARGUMENT_INVALID` if the run is too large.
 */
export function* playRun(params: ExecutionParams): Steps<PlayedRun> {
  const { fast_processing: given } = params;
  const fast_processing = { ...given, physics_period_count: given.physics_period_count || 1 };
  const arrivals = yield* playSchedule({ ...params, fast_processing });
  yield;
  return playedOn(params, arrivals);
}

function playedOn(params: ExecutionParams, arrivals: Schedule) {
  const { target_worker_count, slice_processing_time, physics_period_count } = params.fast_processing;
  const work = playWork(arrivals, new Float64Array(target_worker_count), slice_processing_time);
  const frames = arrivals.stfs * params.daq_state_machine.tf_per_stf + arrivals.frames;
  return {
    stf_files: arrivals.stfs,
    tf_files: arrivals.samples,
    slices: arrivals.slices,
    messages: framingMessages + arrivals.phaseMessages + arrivals.stfs * 2 + arrivals.samples + arrivals.slices * 3,
    /** Bytes of STF files and samples; 0 if no files are written. */
    data_bytes: params.data.write_files ? frames * params.daq_state_machine.tf_size_bytes : 0,
    /** The time from the start to the end of the DAQ. */
    daq_seconds: arrivals.daqEnd,
    /** The time from the start to the last result, or to the end of the DAQ if that is later. */
    total_seconds: Math.max(arrivals.daqEnd, work.last),
    /** Number of workers needed to keep up while STFs arrive. */
    workers_needed: workersFor(params, arrivals),
    /** The fraction of all workers' time that is spent working, from the first slice to the last result. */
    worker_use: work.use,
    /** The longest time that a slice waits for a worker. */
    longest_wait: work.longestWait,
    /** Whether the run has no end; in that case only its first period is simulated. */
    isEndless: physics_period_count === 0,
  };
}

const tooLarge = (what: string) =>
  argumentInvalid(
    `the run has ${what}, too many to simulate; plan a part of it with a smaller stf_count, and multiply the result`,
  );

function* playSchedule(params: ExecutionParams): Steps<Schedule> {
  const stf = stfOf(params);
  const arrivals = noArrivals();
  let position = startPosition;
  for (let steps = 1; ; steps += 1) {
    if (steps > maxSteps) throw tooLarge(`more than ${maxSteps} DAQ steps`);
    if (arrivals.slices > maxSlices) throw tooLarge(`more than ${maxSlices} slices`);
    const step = nextStep(position, params);
    if (step.msg_type === 'finished') return { ...arrivals, daqEnd: step.tick };
    take(arrivals, step, stf);
    position = advance(position, step, params);
    if (steps % inOneTurn === 0) yield;
  }
}

/**
 * The samples and slices of an STF. Their numbers are the same for every sampled STF; only the positions of its
 * samples differ.
 */
function stfOf(params: ExecutionParams) {
  const plan = planOf(params);
  const tf_count = params.daq_state_machine.tf_per_stf;
  const all = planOf({ ...params, fast_processing: { ...params.fast_processing, stf_sampling_rate: 1 } });
  const samples = all.samples({ run: 0, sequence: 1, tf_count });
  return {
    isSampled: (sequence: number) => plan.sampleCount({ sequence, tf_count }) > 0,
    samples: samples.length,
    frames: samples.reduce((sum, sample) => sum + sample.tf_count, 0),
    slices: samples.reduce((sum, sample) => sum + plan.sliceCount(sample.tf_count), 0),
  };
}

function take(arrivals: Schedule, step: TimedStep, stf: ReturnType<typeof stfOf>) {
  if (step.msg_type === 'pause_run') arrivals.standbys.push({ from: step.tick, to: Infinity });
  const standby = arrivals.standbys.at(-1);
  if (step.msg_type === 'resume_run' && standby !== undefined) standby.to = step.tick;
  if (step.msg_type === 'pause_run' || step.msg_type === 'resume_run') arrivals.phaseMessages += 1;
  if (step.msg_type !== 'stf_gen') return;
  arrivals.stfs += 1;
  if (!stf.isSampled(step.sequence)) return;
  arrivals.samples += stf.samples;
  arrivals.slices += stf.slices;
  arrivals.frames += stf.frames;
  arrivals.ticks.push(step.tick);
  arrivals.counts.push(stf.slices);
}

/** Number of workers that are busy at the same time while slices arrive at the rate of a physics period. */
function workersFor({ fast_processing, daq_state_machine: daq }: ExecutionParams, { stfs, slices }: Schedule) {
  const each = daq.stf_interval + daq.stf_generation_time;
  // There are no slices, or all arrive at the same time.
  if (stfs === 0 || each === 0) return slices;
  const inHand = Math.ceil((slices / stfs / each) * fast_processing.slice_processing_time - 1e-9);
  return Math.min(slices, Math.max(1, inHand));
}
