import type { CauseCount } from '../domain/causes.ts';
import type { Speed } from '../domain/params.ts';
import type { SliceStatus } from '../domain/slice-states.ts';
import type { Concentration, PlaceCount } from './concentration.ts';
import type { SlowSlots, SlowerSlices } from './service-times.ts';

/** The number of items, and the ids of the first few. */
export interface Some {
  count: number;
  ids: readonly string[];
}

/** One driver of an execution: when it started, and when and how it ended. Times are ISO 8601. */
export interface DriverSpan {
  epoch: number;
  since: string;
  /** Undefined while the driver is running. */
  until?: string;
  /** The user who started the process. */
  by: string;
  /** The claimed name of the person on whose behalf the process was started. */
  claimed_by?: string;
  pid: number | undefined;
  host: string;
  version: string;
  speed: Speed | undefined;
  ended?: 'finished' | 'interrupted' | 'fault' | 'lost';
  /** The code of the driver's fault, if any. */
  code?: string | undefined;
  reason?: string | undefined;
}

/** A command: who issued it, when (ISO 8601), and why. */
export interface CommandGiven {
  name: string;
  time: string;
  reason?: string;
  /** The unverified name that the sender claims. */
  claimed_by?: string;
  /** The sender that claims the name. */
  sent_by?: string;
}

/** A role that is far behind in reading the log. */
interface ReaderBehind {
  role: string;
  rows: number;
  /** When the first row that the role has not read was recorded. ISO 8601. */
  since: string;
}

/** A start of a slice whose worker vanished, so that another worker started the slice again. */
export interface LostStart {
  slice_filename: string;
  worker: string;
  /** The current state of the slice, and its worker. */
  status: SliceStatus;
  worker_now: string | null;
}

export interface AgentSeen {
  agent_name: string;
  hostname: string;
  state: string;
  /** The status; undefined while it is unknown because a clock is off. */
  status: string | undefined;
  last_heartbeat: string;
  /** Whether the agent has no store and is known only from its heartbeats. */
  isRemote: boolean;
  /** The seconds by which the agent's clock is ahead of the recorder's; null if the clocks agree. */
  clock_offset: number | null;
}

/** Waiting slices of a kind that no live worker can process. */
export interface UnfitSlices {
  reason: string;
  /** The thing that the workers cannot use: the payload, the file's place, or the file itself. */
  kind: string;
  slices: number;
  /** A worker that cannot process these slices, with its reason, and the number of other live workers. */
  agent: string;
  others: number;
  hostname: string;
  detail: string | null;
}

/** A live agent that cannot do some of an execution's work, and why. */
export interface OffDutyAgent {
  agent: string;
  agent_type: string;
  hostname: string;
  /** Number of slots of a worker, if reported. */
  slots: number | null;
  reason: string;
  kind: string;
  /** When the agent went off duty, ISO 8601; undefined if it does not report that. */
  since: string | undefined;
  detail: string | undefined;
}

/** Files for which a live agent has not sent an answer. */
export interface UnansweredFiles {
  role: 'data' | 'fastmon';
  files: number;
  first: string;
  /** ISO 8601. */
  since: string;
  /** The agent in this role that was heard from last, if it is off duty, with its last warning. */
  off_duty: { agent: string; hostname: string; detail: string } | undefined;
}

/** TF files that no worker could get and whose host is silent. */
export interface GoneFiles {
  hostname: string;
  files: number;
  first: string;
  /** When the agent on that host went silent, ISO 8601. */
  since: string;
}

export interface SlowSlice {
  slice_filename: string;
  worker: string | null;
  seconds: number;
}

/** Facts about an execution in addition to its figures. */
export interface Evidence {
  execution_id: string;
  status_reason: string | null;
  /** The process that drives or last drove the execution. `last_sign` is ISO 8601. */
  process: { pid: number; hostname: string; last_sign: string; alive: boolean; silent: boolean } | undefined;
  /** The last drivers of the execution, oldest first. */
  drivers: readonly DriverSpan[];
  /** The newest starts of slices whose worker vanished. */
  lost_starts: readonly LostStart[];
  agents: readonly AgentSeen[];
  /** Agent types that the execution needs but that have no live agent in its namespace. */
  missing: readonly string[];
  behind: readonly ReaderBehind[];
  /** Number of recent resumes that did not lead to any new row. */
  take_ups: number;
  unfit: readonly UnfitSlices[];
  off_duty: readonly OffDutyAgent[];
  /**
   * Workers whose work does not count. `unheard_since` is when their messages stopped arriving, ISO 8601;
   * undefined if they are refused because of their version.
   */
  useless: readonly { agent: string; hostname: string; unheard_since: string | undefined }[];
  unanswered: readonly UnansweredFiles[];
  gone: readonly GoneFiles[];
  /** The first error that an agent logged, apart from the driver's verdict. */
  first_error: { timestamp: string; agent: string; message: string } | undefined;
  /** When the first attempt failed, ISO 8601. Its slice may have been completed later. */
  first_failure: string | undefined;
  /** Among the newest slices: the places with more failures than chance explains. */
  concentration: (Concentration & { errors: readonly string[] }) | undefined;
  /** First attempts at these slices, counted by worker, worst first. */
  by_worker: readonly PlaceCount[];
  /** The slice that took longest, if it took disproportionately long. */
  slowest: SlowSlice | undefined;
  /** Slow slots, and slices that take longer and longer, according to their measured times. */
  slow_slots: SlowSlots;
  slower: SlowerSlices;
  /** A stop request that no driver has acted on. */
  pending_stop: CommandGiven | undefined;
  stopped_by: CommandGiven | undefined;
  /** Failed slices. `isFinal`: none of them will be retried. */
  failed: Some & { isFinal: boolean };
  /** Number of slices that workers had in hand, unfinished, when the execution was stopped or failed. */
  given_up: number;
  /** Number of slices started a second time as the same attempt because their worker was gone. */
  begun_again: number;
  /** The last change of the payload program at a resume: when, and the names and digests. */
  payload_change: { at: string; before: string; now: string } | undefined;
  /** Number of retried slices, and why attempts failed, most frequent cause first. */
  slices_retried: number;
  causes: readonly CauseCount[];
  /** The command with which an operator paused the execution, if it is paused. */
  paused_by: CommandGiven | undefined;
  refused: Some;
  waiting: Some;
  data_as_of: string | undefined;
  unreadable: readonly string[];
}

/**
 * The attempts that have ended since the last slice was completed, all of which failed. Times are milliseconds
 * since 1970.
 */
export interface FailuresInARow {
  /** When the first of these attempts (or of the examined ones, if there are too many) failed. */
  since: number;
  attempts: number;
  /** Whether there are earlier failed attempts that were not examined. */
  isMore: boolean;
  /** How many of these attempts were first attempts. */
  firstAttempts: number;
  /** When the last slice before these failures was completed; undefined if none was found. */
  last_done: number | undefined;
}

/** Fewer failed attempts, or failures within a shorter time, may be due to chance. */
const minAttempts = 10;
const minSeconds = 10;

/**
 * Minimum number of first attempts among the failed attempts: a slice that has failed before may fail again
 * when retried, even if other slices do not.
 */
const minFirstAttempts = 5;

/** Whether every attempt fails. @param until now, or the end of the execution */
export const nothingSucceeds = (failing: FailuresInARow | undefined, until: number): failing is FailuresInARow =>
  failing !== undefined &&
  failing.attempts >= minAttempts &&
  failing.firstAttempts >= minFirstAttempts &&
  until - failing.since >= minSeconds * 1000;
