import type { CauseCount } from '../domain/causes.ts';
import type { Speed } from '../domain/params.ts';
import type { SliceStatus } from '../domain/slice-states.ts';
import type { Concentration, PlaceCount } from './concentration.ts';
import type { SlowSlots, SlowerSlices } from './service-times.ts';

/** A number of things, and the ids of the first of them. */
export interface Some {
  count: number;
  ids: readonly string[];
}

/** One driver of an execution: its start, its end and how it ended. Times are ISO 8601. */
export interface DriverSpan {
  epoch: number;
  since: string;
  /** Undefined while it drives. */
  until?: string;
  /** The user who started the process. */
  by: string;
  /** The person on whose behalf it was started, as claimed. */
  claimed_by?: string;
  pid: number | undefined;
  host: string;
  version: string;
  speed: Speed | undefined;
  ended?: 'finished' | 'interrupted' | 'fault' | 'lost';
  /** Of a fault. */
  code?: string | undefined;
  reason?: string | undefined;
}

/** A command: its issuer, time (ISO 8601) and reason. */
export interface CommandGiven {
  name: string;
  time: string;
  reason?: string;
  /** The name as its sender claims it, not verified. */
  claimed_by?: string;
  /** The sender who claims the name. */
  sent_by?: string;
}

/** A role that is far behind in reading the log. */
interface ReaderBehind {
  role: string;
  rows: number;
  /** When its first unread row was recorded. ISO 8601. */
  since: string;
}

/** A start of a slice whose worker vanished, so that another one started it again. */
export interface LostStart {
  slice_filename: string;
  worker: string;
  /** The state of the slice now, and its worker. */
  status: SliceStatus;
  worker_now: string | null;
}

export interface AgentSeen {
  agent_name: string;
  hostname: string;
  state: string;
  /** Undefined while it is unknown, because a clock is off. */
  status: string | undefined;
  last_heartbeat: string;
  /** It has no store: its heartbeats are the only report of it. */
  isRemote: boolean;
  /** Seconds by which its clock is ahead of the recorder's; null if they agree. */
  clock_offset: number | null;
}

/** Waiting slices of a kind that none of the workers heard can do. */
export interface UnfitSlices {
  reason: string;
  /** The payload, the file's location, or the file. */
  kind: string;
  slices: number;
  /** A worker that cannot do them, how many others are heard, and why it cannot. */
  agent: string;
  others: number;
  hostname: string;
  detail: string | null;
}

/** Work of an execution that an agent cannot do, although it is heard. */
export interface OffDutyAgent {
  agent: string;
  agent_type: string;
  hostname: string;
  /** For a worker, if it reports them. */
  slots: number | null;
  reason: string;
  kind: string;
  /** ISO 8601; undefined if it does not report that. */
  since: string | undefined;
  detail: string | undefined;
}

/** Files that an agent has not answered, although it is heard. */
export interface UnansweredFiles {
  role: 'data' | 'fastmon';
  files: number;
  first: string;
  /** ISO 8601. */
  since: string;
  /** An off-duty agent that could answer, with its last warning. */
  off_duty: { agent: string; hostname: string; detail: string } | undefined;
}

/** TF files that no worker could get and whose host is silent. */
export interface GoneFiles {
  hostname: string;
  files: number;
  first: string;
  /** Since when the agent there is silent, ISO 8601. */
  since: string;
}

/** A slice that took longest. */
export interface SlowSlice {
  slice_filename: string;
  worker: string | null;
  seconds: number;
}

/** Facts about an execution besides its figures. */
export interface Evidence {
  execution_id: string;
  status_reason: string | null;
  /** The process that drives it or drove it last. `last_sign` is ISO 8601. */
  process: { pid: number; hostname: string; last_sign: string; alive: boolean; silent: boolean } | undefined;
  /** Its last drivers, the oldest first. */
  drivers: readonly DriverSpan[];
  /** The newest starts whose worker vanished. */
  lost_starts: readonly LostStart[];
  agents: readonly AgentSeen[];
  /** Agent types that the execution needs but no live agent of its namespace has. */
  missing: readonly string[];
  behind: readonly ReaderBehind[];
  /** How often it was recently resumed without a single new row. */
  take_ups: number;
  unfit: readonly UnfitSlices[];
  off_duty: readonly OffDutyAgent[];
  /**
   * Workers whose work does not count. `unheard_since` is when their messages stopped arriving, ISO 8601;
   * undefined if they are refused for their version.
   */
  useless: readonly { agent: string; hostname: string; unheard_since: string | undefined }[];
  unanswered: readonly UnansweredFiles[];
  gone: readonly GoneFiles[];
  /** The first error that an agent logged, not counting the driver's verdict. */
  first_error: { timestamp: string; agent: string; message: string } | undefined;
  /** When the first attempt failed, ISO 8601: its slice may have been done later. */
  first_failure: string | undefined;
  /** The places with more failures than chance explains, among the newest slices. */
  concentration: (Concentration & { errors: readonly string[] }) | undefined;
  /** The first attempts of these slices by worker, the worst first. */
  by_worker: readonly PlaceCount[];
  /** The slice that took longest, if that is out of all proportion. */
  slowest: SlowSlice | undefined;
  /** Slots that are slow, and slices that take longer and longer, by their measured times. */
  slow_slots: SlowSlots;
  slower: SlowerSlices;
  /** A stop that no driver has acted on. */
  pending_stop: CommandGiven | undefined;
  /** The stop that ended it. */
  stopped_by: CommandGiven | undefined;
  /** Failed slices; `isFinal` if none of them is tried again. */
  failed: Some & { isFinal: boolean };
  /** Slices that workers had in hand when the execution was stopped or failed: they were not finished. */
  given_up: number;
  /** Slices started a second time as the same attempt, because their worker was gone. */
  begun_again: number;
  /** Retried slices, and why attempts failed, the most frequent cause first. */
  slices_retried: number;
  causes: readonly CauseCount[];
  /** The pause, if an operator has paused it. */
  paused_by: CommandGiven | undefined;
  refused: Some;
  waiting: Some;
  data_as_of: string | undefined;
  /** Parts of the store that cannot be read. */
  unreadable: readonly string[];
}

/** The attempts that ended since the last slice was done: all failed. Times are milliseconds since 1970. */
export interface FailuresInARow {
  /** When the first of them failed; of many, the first one examined. */
  since: number;
  attempts: number;
  /** More attempts failed before, which were not examined. */
  isMore: boolean;
  /** How many of them were first attempts at their slices. */
  firstAttempts: number;
  /** When the last slice before them was done; undefined if that was not found or none ever was. */
  last_done: number | undefined;
}

/** Fewer attempts, or a shorter time, may be chance. */
const minAttempts = 10;
const minSeconds = 10;

/** If only slices that failed before are left, their retries fail again, which says nothing about others. */
const minFirstAttempts = 5;

/** Whether every attempt fails. @param until now, or the end of the execution */
export const nothingSucceeds = (failing: FailuresInARow | undefined, until: number): failing is FailuresInARow =>
  failing !== undefined &&
  failing.attempts >= minAttempts &&
  failing.firstAttempts >= minFirstAttempts &&
  until - failing.since >= minSeconds * 1000;
