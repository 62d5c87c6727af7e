import type { CountedDelay } from '../domain/stages.ts';
import { rounded } from '../lib/rounded.ts';
import { delayOf, type Facts, secondsBetween, serviceSeconds, wallSeconds } from './facts.ts';
import { bounds, handState, paceOf } from './pace.ts';

/** The work of one kind of agent, and the time since it last did something. Times are in seconds of wall time. */
export interface StageState {
  stage: 'daq_simulator' | 'data' | 'fastmon' | 'fast_processing' | 'worker';
  /** Number of items that are waiting for the agent. */
  waiting: number;
  /** The time since the agent last did something or was given something to do. */
  idle_seconds: number;
  /** The usual maximum time until the next item; undefined while nothing has passed the stage. */
  expected_seconds: number | undefined;
  state: 'waiting' | 'working' | 'slow' | 'stuck' | 'paused' | 'done';
}

/** The name, in the singular, of the item that a stage waits for or has to produce. */
export const itemOf: Readonly<Record<StageState['stage'], string>> = {
  daq_simulator: 'STF file',
  data: 'STF file',
  fastmon: 'TF sample',
  fast_processing: 'TF slice',
  worker: 'TF slice',
};

/**
 * When a stage with waiting work counts as slow, and when as stuck, if its usual time is unknown because
 * nothing has passed the stage. Fetching the first file may take a while.
 */
const unknownBounds = { slow_seconds: 20, stalled_seconds: 60 };

/**
 * The work of a stage. Times are ISO 8601; `expected` is in seconds of wall time, and undefined while nothing
 * has passed the stage.
 */
interface Work {
  stage: StageState['stage'];
  waiting: number;
  /** When the stage last made progress, and when work began to wait for it. */
  since: readonly (string | null | undefined)[];
  expected: number | undefined;
  /** Whether work is in progress and the stage need not do anything else now. */
  isBusy?: boolean;
}

/** The stages in the order in which data passes through them. */
export function stageStates(facts: Facts): StageState[] {
  const daq = toStageState(daqWork(facts), facts);
  const waiting = facts.stf_planned === undefined ? 0 : daq.waiting;
  const state = facts.phase === 'completed' ? 'done' : daq.state;
  const files = fileWork(facts).map((work) => toStageState(work, facts));
  return [{ ...daq, waiting, state }, ...files, workerState(facts)];
}

const severity = ['waiting', 'working', 'slow', 'stuck'] as const;

/**
 * The state of the workers: the state of the oldest slice in hand or of the slice queue, whichever is worse.
 */
function workerState(facts: Facts): StageState {
  const queue = queueState(facts);
  if (queue.state === 'paused' || queue.state === 'done' || facts.in_hand.length === 0) return queue;
  const hand = handState(facts, paceOf(facts));
  return severity.indexOf(hand) > severity.indexOf(queue.state) ? { ...queue, state: hand } : queue;
}

/** The state of the slice queue: whether free workers take slices from it. */
export const queueState = (facts: Facts) => toStageState(workerWork(facts), facts);

function toStageState({ stage, waiting, since, expected, isBusy = false }: Work, facts: Facts): StageState {
  const from = latest(facts.start_time, facts.driver?.since, ...since);
  // In standby, workers start nothing; the DAQ's own steps continue.
  const idle = secondsBetween(from, facts.now) - (stage === 'worker' ? restedSince(from, facts) : 0);
  const judged = isBusy && waiting > 0 ? 'working' : stateFor(waiting, idle, expected);
  // A stage that was stuck before a standby between two periods stays stuck during the standby.
  const isExcused = facts.isHeld || (facts.phase === 'standby' && judged !== 'stuck');
  // The stages between these two continue during a pause.
  const rests = stage === 'daq_simulator' || stage === 'worker';
  return {
    stage,
    waiting: Math.max(0, Math.round(waiting)),
    idle_seconds: rounded(idle, 1),
    expected_seconds: expected === undefined ? undefined : rounded(expected, 1),
    state: rests && isExcused ? 'paused' : judged,
  };
}

const restedSince = (from: string, { standbys, now }: Facts) =>
  standbys.reduce((sum, { start, end = now }) => sum + Math.max(0, end - Math.max(start, Date.parse(from))), 0) / 1000;

function stateFor(waiting: number, idle: number, expected: number | undefined): StageState['state'] {
  if (waiting <= 0) return 'waiting';
  const { slow_seconds, stalled_seconds } = expected === undefined ? unknownBounds : bounds(expected);
  return idle > stalled_seconds ? 'stuck' : idle > slow_seconds ? 'slow' : 'working';
}

const latest = (...times: (string | null | undefined)[]) =>
  times.reduce<string>((last, time) => (time !== null && time !== undefined && time > last ? time : last), '');

function daqWork(facts: Facts): Work {
  const { phase, stf_planned, counts, params, in_hand } = facts;
  const left = stf_planned === undefined ? 1 : Math.max(1, stf_planned - counts.stf_count);
  return {
    stage: 'daq_simulator',
    waiting: phase === 'completed' ? 0 : left,
    since: [facts.last_stf_at, facts.phase_changed_at],
    expected: wallSeconds(daqStepSeconds(facts), params),
    // At full speed, the DAQ's clock stands still while a slice is in hand.
    isBusy: params.speed === 'max' && in_hand.length > 0,
  };
}

/** The longest time until the DAQ's next step, in simulated seconds. */
const daqStepSeconds = ({ phase, params: { daq_state_machine: daq } }: Facts) =>
  ({
    none: daq.no_beam_not_ready_delay,
    imminent: daq.broadcast_delay + daq.beam_not_ready_delay + daq.beam_ready_delay,
    physics: daq.broadcast_delay + daq.stf_interval + daq.stf_generation_time,
    standby: daq.broadcast_delay + daq.standby_duration,
    completed: daq.broadcast_delay + daq.beam_not_ready_end_delay,
  })[phase];

function fileWork(facts: Facts): Work[] {
  const { counts, stfs_ready, samples_expected, slices_expected, samples_of_unready, waiting_since } = facts;
  const ready = delayOf(facts.delays, 'stf_gen → stf_ready');
  const sampled = delayOf(facts.delays, 'stf_ready → tf_file_registered');
  const cut = delayOf(facts.delays, 'tf_file_registered → slice');
  // Every announced STF is expected to yield samples. Fastmon cannot take them before the STF is ready.
  const unsampled = samples_expected - counts.tf_files_received - samples_of_unready;
  const work = (
    stage: keyof Facts['waiting_since'],
    waiting: number,
    own: CountedDelay | undefined,
    arrival: string | undefined,
  ) => ({
    stage,
    waiting,
    // Counting from the last arrival would excuse a stage that does nothing while items keep arriving.
    since: [own?.last_at, waiting_since[stage] ?? arrival],
    expected: own?.mean,
  });
  return [
    work('data', counts.stf_count - stfs_ready, ready, facts.last_stf_at),
    work('fastmon', unsampled, sampled, ready?.last_at),
    work('fast_processing', slices_expected - counts.slices_created, cut, sampled?.last_at),
  ];
}

/**
 * Whether free workers take slices. Over a broker, the number of free workers is unknown: a worker with a slice
 * in hand may be the only one. How long a slice may be in hand is judged by how long others took.
 */
function workerWork(facts: Facts): Work {
  const { counts, waiting_since, in_hand, isOverBroker, params, others_in_hand } = facts;
  const times = (
    ['slice → slice_started', 'slice_started → slice_result', 'slice_started → failed result'] as const
  ).map((stage) => delayOf(facts.delays, stage)?.last_at);
  const expected = serviceSeconds(facts);
  // After processes have been killed with slices in progress, the suspect slices are started one at a time
  // until one of them has ended.
  const slots = isOverBroker || expected === undefined ? 1 : params.fast_processing.target_worker_count;
  return {
    stage: 'worker',
    waiting: counts.slices_queued + counts.slices_processing,
    since: [...times, waiting_since.worker ?? delayOf(facts.delays, 'tf_file_registered → slice')?.last_at],
    expected,
    // Workers elsewhere may be busy with other executions.
    isBusy: (counts.slices_queued === 0 ? in_hand.length > 0 : in_hand.length >= slots) || others_in_hand > 0,
  };
}
