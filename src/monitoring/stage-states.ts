import type { Counts } from '../agents/ports.ts';
import type { WorkflowParams } from '../domain/params.ts';
import type { Phase } from '../domain/run-phases.ts';
import type { StageDelay, StageName } from '../domain/stages.ts';
import type { ExecutionStatus, Health } from '../domain/states.ts';

/** What is known of an execution at one moment, to judge how it does. Times are ISO 8601, `now` is in milliseconds since 1970. */
export interface Facts {
  now: number;
  status: ExecutionStatus;
  phase: Phase;
  start_time: string;
  phase_changed_at: string | null;
  /** An operator holds it. */
  isHeld: boolean;
  params: WorkflowParams;
  counts: Counts;
  stfs_ready: number;
  samples_expected: number;
  /** Of STFs that are not ready. */
  samples_of_unready: number;
  slices_expected: number;
  /** STFs of the whole run by the plan; undefined for a run until it is stopped. */
  stf_planned: number | undefined;
  slices_planned: number | undefined;
  slices_final: number;
  slice_retries: number;
  delays: readonly StageDelay[];
  last_stf_at: string | undefined;
  /** A command that works on slices in real time, and how long it may take; undefined for the placeholder. */
  payload_timeout: number | undefined;
  /** How long slices have been in hand, on average; undefined where none is. */
  in_hand_seconds: number | undefined;
  /** The process that drives it; undefined for an execution that was never driven from this store. */
  driver: { alive: boolean; silent: boolean } | undefined;
}

/** What one kind of agent has to do, and when it last did something. Seconds of wall time. */
export interface StageState {
  stage: 'daq_simulator' | 'data' | 'fastmon' | 'fast_processing' | 'worker';
  /** Items that wait for it. */
  waiting: number;
  /** Since it last did something, or got something to do. */
  idle_seconds: number;
  /** How long it may usually take until the next. */
  expected_seconds: number;
  state: 'waiting' | 'working' | 'slow' | 'stuck' | 'paused' | 'done';
}

/** A stage that does nothing for so many of its usual times, with work to do, is slow, and then stuck. */
const slowFactor = 3;
const stuckFactor = 6;
/** Less than this is nothing that anybody would notice. */
const leastSlowSeconds = 5;
const leastStuckSeconds = 15;

export const seconds = (from: string, to: number): number => Math.max(0, (to - Date.parse(from)) / 1000);

/** Simulated seconds as wall time; at full speed none of them takes any. */
export function wallSeconds(simulated: number, { speed }: WorkflowParams): number {
  return speed === 'max' ? 0 : simulated / speed;
}

export const delayOf = ({ delays }: Facts, stage: StageName): StageDelay | undefined =>
  delays.find((delay) => delay.stage === stage);

/** How long a worker has a slice: as observed, else as planned; undefined for a command that has not ended yet. */
export function serviceSeconds(facts: Facts): number | undefined {
  const observed = delayOf(facts, 'slice_started → slice_result');
  if (observed !== undefined && (observed.items >= 3 || facts.payload_timeout !== undefined)) return observed.mean;
  if (facts.payload_timeout !== undefined) return undefined;
  return wallSeconds(facts.params.fast_processing.slice_processing_time, facts.params);
}

/** Work, its last progress or arrival, and its usual time. */
interface Work {
  stage: StageState['stage'];
  waiting: number;
  since: readonly (string | null | undefined)[];
  expected: number;
  /** Whether it rests while the run is paused. */
  rests: boolean;
  /** So long nothing may happen, whatever is usual. */
  allowed?: number;
}

/** The stages in the order of the data. */
export function stageStates(facts: Facts): StageState[] {
  const daq = judged(daqWork(facts), facts);
  return [
    {
      ...daq,
      waiting: facts.stf_planned === undefined ? 0 : daq.waiting,
      state: facts.phase === 'completed' ? 'done' : daq.state,
    },
    ...[...fileWork(facts), workerWork(facts)].map((work) => judged(work, facts)),
  ];
}

function judged({ stage, waiting, since, expected, rests, allowed = 0 }: Work, facts: Facts): StageState {
  const idle = seconds(latest(facts.start_time, ...since), facts.now);
  const isPaused = facts.isHeld || facts.phase === 'standby';
  const state =
    rests && isPaused ? 'paused' : idle <= allowed && waiting > 0 ? 'working' : stateOf(waiting, idle, expected);
  return {
    stage,
    waiting: Math.max(0, Math.round(waiting)),
    idle_seconds: tenth(idle),
    expected_seconds: tenth(expected),
    state,
  };
}

const latest = (...times: (string | null | undefined)[]): string =>
  times.reduce<string>((last, time) => (time !== null && time !== undefined && time > last ? time : last), '');

function daqWork(facts: Facts): Work {
  const { phase, stf_planned, counts, params } = facts;
  const left = stf_planned === undefined ? 1 : Math.max(1, stf_planned - counts.stf_count);
  return {
    stage: 'daq_simulator',
    waiting: phase === 'completed' ? 0 : left,
    since: [facts.last_stf_at, facts.phase_changed_at],
    expected: wallSeconds(daqStepSeconds(facts), params),
    rests: true,
  };
}

function fileWork(facts: Facts): Work[] {
  const { counts, stfs_ready, samples_expected, slices_expected } = facts;
  const unready = counts.stf_count - stfs_ready;
  const [ready, sampled, cut] = [
    delayOf(facts, 'stf_gen → stf_ready'),
    delayOf(facts, 'stf_ready → tf_file_registered'),
    delayOf(facts, 'tf_file_registered → slice'),
  ];
  // Samples are expected of every STF that is announced; those of unready ones are not fastmon's to take yet.
  const unsampled = samples_expected - counts.tf_files_received - facts.samples_of_unready;
  const work = (
    stage: Work['stage'],
    waiting: number,
    own: StageDelay | undefined,
    arrival: string | undefined,
  ): Work => ({
    stage,
    waiting,
    since: [own?.last_at, arrival],
    expected: own?.mean ?? 0,
    rests: false,
  });
  return [
    work('data', unready, ready, facts.last_stf_at),
    work('fastmon', unsampled, sampled, ready?.last_at),
    work('fast_processing', slices_expected - counts.slices_created, cut, sampled?.last_at),
  ];
}

/** Workers begin and end slices: with all of them busy nothing may happen for as long as one slice takes. */
function workerWork(facts: Facts): Work {
  const { counts, phase_changed_at } = facts;
  const times = (['tf_file_registered → slice', 'slice → slice_started', 'slice_started → slice_result'] as const).map(
    (stage) => delayOf(facts, stage)?.last_at,
  );
  return {
    stage: 'worker',
    waiting: counts.slices_queued + counts.slices_processing,
    since: [...times, phase_changed_at],
    expected: serviceSeconds(facts) ?? 0,
    rests: true,
    // A command that is in hand is given its time, which is real however fast the run goes.
    ...(counts.slices_processing > 0 ? { allowed: facts.payload_timeout ?? 0 } : {}),
  };
}

/** The longest time until the DAQ's next step, in simulated seconds. */
function daqStepSeconds({ phase, params: { daq_state_machine: daq } }: Facts): number {
  switch (phase) {
    case 'none':
      return daq.no_beam_not_ready_delay;
    case 'imminent':
      return daq.broadcast_delay + daq.beam_not_ready_delay + daq.beam_ready_delay;
    case 'physics':
      return daq.broadcast_delay + daq.stf_interval + daq.stf_generation_time;
    case 'standby':
      return daq.broadcast_delay + daq.standby_duration;
    case 'completed':
      return daq.broadcast_delay + daq.beam_not_ready_end_delay;
  }
}

function stateOf(waiting: number, idle: number, expected: number): StageState['state'] {
  if (waiting <= 0) return 'waiting';
  if (idle > Math.max(leastStuckSeconds, stuckFactor * expected)) return 'stuck';
  return idle > Math.max(leastSlowSeconds, slowFactor * expected) ? 'slow' : 'working';
}

const tenth = (value: number): number => Math.round(value * 10) / 10;

/** How an execution does, beside its status (contract §5). */
export function healthOf(facts: Facts, stages: readonly StageState[]): Health {
  const { status, phase, driver, isHeld } = facts;
  if (status === 'failed') return 'failed';
  if (status !== 'running') return 'finished';
  if (driver !== undefined && (!driver.alive || driver.silent)) return 'stalled';
  if (isHeld || phase === 'standby') return 'paused';
  if (stages.some(({ state }) => state === 'stuck')) return 'stalled';
  if (stages.some(({ state }) => state === 'slow')) return 'slow';
  return phase === 'completed' ? 'draining' : 'progressing';
}
