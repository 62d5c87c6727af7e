import type { Counts } from '../domain/counts.ts';
import type { EffectCode } from '../domain/effects.ts';
import type { PlannedSlice } from '../domain/plan/plan.ts';
import type { Phase } from '../domain/run-phases.ts';
import type { LogLine } from '../lib/logger.ts';
import type { Draft, Message } from '../messages/message.ts';
import type { MessageType } from '../messages/vocabulary.ts';

/**
 * The boundary between the agents and everything around them. Agents and driver see only these interfaces;
 * `db/execution/` implements those of the store, `payload/` the work on a slice. Neither side imports the
 * other.
 */

export interface LoggedMessage {
  seq: number;
  message: Message;
}

/** Everything that is recorded in one transaction: all of it, or nothing. */
export interface Step {
  sender: string;
  /** Simulated time in seconds. */
  tick: number;
  /** The messages. A function is called inside the transaction, where the store does not change. */
  says: Draft[] | (() => Draft[]);
  logs?: LogLine[];
  /** Moves the consumer's cursor. The step is refused if the cursor is not at `from`. */
  cursor?: { role: string; from: number; to: number };
  /** The ids of commands that this step carries out. */
  takes?: string[];
  /** Commands that are answered and have no other effect. */
  refuses?: { id: string; code: EffectCode; reason: string }[];
}

/**
 * The messages of a type, or only those in one `state`, so that messages that a consumer does not need are
 * not even fetched.
 */
export type Reading = MessageType | { msg_type: MessageType; state: string };

/** The log of one execution. */
export interface Journal {
  /** How far a role has read; 0 at the beginning. */
  cursor(role: string): number;
  /**
   * Messages that had an effect, after `after`, at most `limit`. `seen`: the log has been read up to here.
   */
  read(readings: readonly Reading[], after: number, limit: number): { messages: LoggedMessage[]; seen: number };
  /**
   * The same for messages that took effect late, in the order of taking effect; `seq` is the place in that
   * order.
   */
  readLate(readings: readonly Reading[], after: number, limit: number): { messages: LoggedMessage[]; seen: number };
  message(id: string): Message | undefined;
  /** How many messages a role has yet to read, counted up to `most`. */
  behind(role: string, readings: readonly Reading[], most: number): number;
  /**
   * Records a step. Returns false, and records nothing, if the cursor was elsewhere. Throws
   * `EXECUTION_IN_USE` if another process has taken over the execution, `STORE_UNAVAILABLE` if the store
   * cannot be written.
   */
  step(step: Step): Promise<boolean>;
  /**
   * The same, synchronously and without retries, for a process about to exit. Throws if the store cannot be
   * written at that moment.
   */
  stepAtOnce(step: Step): void;
}

/** The state of an execution as seen by its driver. */
export interface Overview {
  phase(): Phase;
  counts(): Counts;
  /**
   * Whether everything that was announced is done: files ready, samples and slices as planned, every slice
   * final.
   */
  isSettled(): boolean;
  /** The oldest pending request to stop. */
  pendingStop(): Message<'stop_workflow'> | undefined;
  /** The oldest pending request to pause or resume. */
  pendingPause(): Message<'pause_workflow' | 'resume_workflow'> | undefined;
}

/** A slice that a worker can take. */
export interface OpenSlice extends PlannedSlice {
  tf_filename: string;
  stf_filename: string;
  attempt: number;
}

/** A slice that a worker began and did not end. */
export interface LeftSlice extends OpenSlice {
  /** The slot that was processing it. */
  worker_id: string;
  hostname: string;
}

/** The slices of an execution as seen by its workers. */
export interface SliceQueue {
  /** Whether the run's phase lets a worker take a slice. */
  isOpen(): boolean;
  /** The next queued slices, the oldest first. */
  queued(limit: number): OpenSlice[];
  inProcess(): LeftSlice[];
  /** The state of an attempt that a broker delivered. */
  standing(sliceFilename: string, attempt: number): SliceStanding;
}

/** `open`: to be worked on. `over`: there is nothing to do. `given up`: too many of its starts were lost. */
export type SliceStanding = 'open' | 'over' | 'given up';

/** Facts about a payload command, as `slice_result` carries them. */
export type PayloadFacts = Partial<
  Pick<Draft<'slice_result'>, 'exit_code' | 'signal' | 'output_tail' | 'outputs' | 'outputs_omitted'>
>;

/** The result of one slice. `seconds` is its processing time. */
export type PayloadResult = { seconds: number; facts?: PayloadFacts } & (
  | { state: 'done' }
  | { state: 'failed'; error: string }
);

/**
 * A worker's work on a slice. Every failure becomes the slice's result; only a faulty disk throws
 * `DATA_UNAVAILABLE`.
 */
export interface Payload {
  run(slice: OpenSlice, by: { worker_id: string; signal: AbortSignal }): Promise<PayloadResult>;
  /**
   * How many processes were killed in the middle of this attempt; absent for payloads that cannot kill the
   * process that runs them.
   */
  killed?(slice: OpenSlice): number;
}

/** A slice as a broker hands it out. */
export interface DeliveredSlice {
  /** It names its execution: without one there is nothing to work on. */
  slice: Message<'slice'> & { execution_id: string };
  /** The store of the recorder that sent it. */
  storeId: string;
  /** Where its results are sent, if not to the usual destination. */
  replyTo: string | undefined;
  /** When it arrived, in milliseconds by the clock of the process. */
  since: number;
}
