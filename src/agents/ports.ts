import type { Counts } from '../domain/counts.ts';
import type { EffectCode } from '../domain/effects.ts';
import type { PlannedSlice } from '../domain/plan/plan.ts';
import type { Phase } from '../domain/run-phases.ts';
import type { LogLine } from '../lib/logger.ts';
import type { Draft, Message } from '../messages/message.ts';
import type { MessageType } from '../messages/vocabulary.ts';

/**
 * The boundary between the agents and everything around them. The agents and the driver see only these
 * interfaces; `db/execution/` implements those that the store provides, and `payload/` implements the work on a
 * slice. Neither side imports the other.
 */

export interface LoggedMessage {
  seq: number;
  message: Message;
}

/** Everything recorded in one transaction, as a whole or not at all. */
export interface Step {
  sender: string;
  /** Simulated time in seconds. */
  tick: number;
  /**
   * The messages, or a function that returns them; the function is called inside the transaction, where the
   * store does not change.
   */
  says: Draft[] | (() => Draft[]);
  logs?: LogLine[];
  /** Moves the consumer's cursor. The step is refused if the cursor is not at `from`. */
  cursor?: { role: string; from: number; to: number };
  /** The ids of commands that this step carries out. */
  takes?: string[];
  /** Commands that are refused: they get an answer and have no other effect. */
  refuses?: { id: string; code: EffectCode; reason: string }[];
}

/**
 * The messages of a type, or only those in one `state`, so that a consumer need not fetch messages that it
 * does not use.
 */
export type Reading = MessageType | { msg_type: MessageType; state: string };

/** The log of one execution. */
export interface Journal {
  /** How far a role has read; 0 at the beginning. */
  cursor(role: string): number;
  /**
   * Returns up to `limit` messages that come after `after` and had an effect. `seen`: how far the log has been
   * read.
   */
  read(readings: readonly Reading[], after: number, limit: number): { messages: LoggedMessage[]; seen: number };
  /**
   * Like `read`, but for messages that took effect late, in the order in which they took effect; `seq` is the
   * place in that order.
   */
  readLate(readings: readonly Reading[], after: number, limit: number): { messages: LoggedMessage[]; seen: number };
  message(id: string): Message | undefined;
  /** How many messages a role has not read yet, counted up to `most`. */
  behind(role: string, readings: readonly Reading[], most: number): number;
  /**
   * Records a step. Returns false, and records nothing, if the cursor was elsewhere. Throws `EXECUTION_IN_USE`
   * if another process has taken over the execution, and `STORE_UNAVAILABLE` if the store cannot be written.
   */
  step(step: Step): Promise<boolean>;
  /**
   * Like `step`, but synchronous and without retries, for a process about to exit. Throws if the store
   * cannot be written at that moment.
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

/** A slice that a worker started but did not finish. */
export interface LeftSlice extends OpenSlice {
  /** The slot that was processing the slice. */
  worker_id: string;
  hostname: string;
}

/** The slices of an execution as seen by its workers. */
export interface SliceQueue {
  /** Whether the run's phase lets a worker take a slice. */
  isOpen(): boolean;
  /** The next queued slices, oldest first. */
  queued(limit: number): OpenSlice[];
  inProcess(): LeftSlice[];
  /** The state of an attempt that a broker delivered. */
  standing(sliceFilename: string, attempt: number): SliceStanding;
}

/**
 * `open`: to be worked on. `over`: there is nothing to do. `given up`: too many of the attempt's starts were lost.
 */
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
 * Processes slices for a worker. Every failure becomes the slice's result; `DATA_UNAVAILABLE` is thrown only
 * for a full or faulty disk.
 */
export interface Payload {
  run(slice: OpenSlice, by: { worker_id: string; signal: AbortSignal }): Promise<PayloadResult>;
  /**
   * How many processes were killed in the middle of this attempt; absent for payloads that cannot kill
   * their own process.
   */
  killed?(slice: OpenSlice): number;
}

/** A slice as a broker delivers it. */
export interface DeliveredSlice {
  /** The slice, with its execution's id, without which a worker cannot process it. */
  slice: Message<'slice'> & { execution_id: string };
  /** The store of the recorder that sent the slice. */
  storeId: string;
  /** Where the slice's results are sent, if not to the usual destination. */
  replyTo: string | undefined;
  /** When the slice arrived, by the process's clock, in milliseconds. */
  since: number;
}
