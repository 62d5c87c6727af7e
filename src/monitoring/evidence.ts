import type { CauseCount } from '../domain/causes.ts';
import type { Speed } from '../domain/params.ts';
import type { Concentration } from './concentration.ts';

/** One driver of an execution: since when, until when, and how it ended. Times are ISO 8601. */
export interface DriverSpan {
  epoch: number;
  since: string;
  /** Undefined while it drives. */
  until?: string;
  /** The user who started the process. */
  by: string;
  /** The person in whose name it was started, as was claimed. */
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

/** The giver of a command, the time, and the reason. `time` is ISO 8601. */
export interface CommandGiven {
  name: string;
  time: string;
  reason?: string;
  /** The name is only claimed: nobody has checked it. */
  claimed_by?: string;
  /** The one who claims it. */
  sent_by?: string;
}

/** Attempts that failed alike. */
export type FailureCause = CauseCount;

/** A role that has much of the log still to read. */
export interface ReaderBehind {
  role: string;
  rows: number;
  /** When the first row that it has not read was recorded. ISO 8601. */
  since: string;
}

/** An agent of an execution. */
export interface AgentSeen {
  agent_name: string;
  agent_type: string;
  hostname: string;
  state: string;
  status: string;
  last_heartbeat: string;
  /** It has no store: only its heartbeats tell of it. */
  isRemote: boolean;
  /** How far its clock is ahead of the recorder's, in seconds; null where it is the same. */
  clock_offset: number | null;
}

/** Slices that wait, of a kind that no worker that is heard can do. */
export interface UnfitSlices {
  reason: string;
  /** The payload, the place of the file, or the file. */
  kind: string;
  slices: number;
  /** One of the workers that cannot do them, how many others are heard, and why it cannot. */
  agent: string;
  others: number;
  hostname: string;
  detail: string | null;
}

/** Kinds of work of an execution that an agent which is heard cannot do. */
export interface OffDutyAgent {
  agent: string;
  agent_type: string;
  hostname: string;
  /** Of a worker, as far as it tells. */
  slots: number | null;
  reason: string;
  kind: string;
  /** ISO 8601; undefined where it does not tell. */
  since: string | undefined;
  detail: string | undefined;
}

/** A worker whose work does not count. */
export interface UselessWorker {
  agent: string;
  hostname: string;
  /** Since when nothing arrives that it says, ISO 8601; undefined where it is refused for the version of its messages. */
  unheard_since: string | undefined;
}

/** Files that an agent which is heard has not answered. */
export interface UnansweredFiles {
  role: 'data' | 'fastmon';
  files: number;
  first: string;
  /** ISO 8601. */
  since: string;
  /** An agent that could answer and is off duty, and its last warning. */
  off_duty: { agent: string; hostname: string; detail: string } | undefined;
}

/** TF files that no worker could have, and whose host is silent. */
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

/** Facts about an execution beside its figures. */
export interface Evidence {
  execution_id: string;
  status_reason: string | null;
  /** The process that drives it or drove it last. `last_sign` is ISO 8601. */
  driver: { pid: number; hostname: string; last_sign: string; alive: boolean; silent: boolean } | undefined;
  /** Its last drivers, the oldest first. */
  drivers: readonly DriverSpan[];
  agents: readonly AgentSeen[];
  /** Agent types that the execution needs and that no living agent of its namespace has. */
  missing: readonly string[];
  behind: readonly ReaderBehind[];
  /** How often it was taken up of late without a row that came of it. */
  take_ups: number;
  unfit: readonly UnfitSlices[];
  off_duty: readonly OffDutyAgent[];
  useless: readonly UselessWorker[];
  unanswered: readonly UnansweredFiles[];
  gone: readonly GoneFiles[];
  /** Since when its recorder has no connection to the broker, ISO 8601. */
  broker_away_since: string | undefined;
  /** The first error that an agent logged; the verdict of the driver is none. */
  first_error: { timestamp: string; agent: string; message: string; log_id: number } | undefined;
  /** When the first attempt failed, ISO 8601: its slice may have been done later. */
  first_failure: string | undefined;
  /** The place that has more failures than chance gives, of the newest slices. */
  concentration: (Concentration & { errors: readonly string[] }) | undefined;
  /** The slice that took longest, where that is out of all proportion. */
  slowest: SlowSlice | undefined;
  /** Steps of the clock of the processes that drove it. */
  clock_steps: readonly { at: string; seconds: number; hostname: string }[];
  /** Times in which a driver lived and wrote nothing. ISO 8601. */
  standstills: readonly { from: string; until: string; hostname: string }[];
  /** A stop that no driver has taken up. */
  pending_stop: CommandGiven | undefined;
  /** Slices that stay failed: some of them, and how many there are. */
  exhausted: readonly string[];
  exhausted_count: number;
  /** Slices that workers had in hand when the execution was stopped or failed: nobody has ended them. */
  given_up: number;
  /** Slices that were begun a second time as the same attempt, since their worker was gone. */
  begun_again: number;
  /** Slices that were tried again, and why attempts failed, the most frequent cause first. */
  slices_retried: number;
  causes: readonly FailureCause[];
  /** The one who paused it, where an operator has. */
  paused_by: CommandGiven | undefined;
  refused: { count: number; ids: readonly string[] };
  waiting: { count: number; ids: readonly string[] };
  data_as_of: string | undefined;
  /** The clock of its first driver was so far behind the row recorded before it. Seconds; 0 where it was not. */
  clock_behind: number;
  /** Parts of the store that cannot be read. */
  unreadable: readonly string[];
}
