import type { Counts } from '../domain/counts.ts';
import type { EffectCode } from '../domain/effects.ts';
import type { Phase } from '../domain/run-phases.ts';
import type { LogLine } from '../lib/logger.ts';
import type { Draft, Message } from '../messages/message.ts';
import type { MessageType } from '../messages/vocabulary.ts';

/**
 * The edge between the agents and everything around them. Agents and driver see these interfaces; `db/execution/` implements those of the
 * store, `payload/` that of the work on a slice. Neither side imports the other.
 */

export interface LoggedMessage {
  seq: number;
  message: Message;
}

/** Everything that is recorded in one transaction: all of it, or nothing. */
export interface Step {
  /** The agent that speaks. */
  sender: string;
  /** Simulated time in seconds. */
  tick: number;
  /** The messages. A function is asked inside the transaction, where the store stands still. */
  says: Draft[] | (() => Draft[]);
  logs?: LogLine[];
  /** The consumer's cursor moves from here to there. The step is refused if it stands elsewhere. */
  cursor?: { role: string; from: number; to: number };
  /** The ids of commands that this step carries out. */
  takes?: string[];
  /** Commands that get an answer and have no other effect. */
  refuses?: { id: string; code: EffectCode; reason: string }[];
}

/** The messages of a type, or of them those in one `state`: what a consumer has no use for is not even fetched. */
export type Reading = MessageType | { msg_type: MessageType; state: string };

/** The log of one execution. */
export interface Journal {
  /** How far a role has read; 0 at the beginning. */
  cursor(role: string): number;
  /** Messages that had an effect, after `after`, at most `limit`. `seen`: the log has been read up to here. */
  read(readings: readonly Reading[], after: number, limit: number): { messages: LoggedMessage[]; seen: number };
  /** The same for messages that took effect late, in that order. Their `seq` is their place among these. */
  readLate(readings: readonly Reading[], after: number, limit: number): { messages: LoggedMessage[]; seen: number };
  /** A recorded message by its id. */
  message(id: string): Message | undefined;
  /** How many messages a role has still to read. Counting stops at `most`. */
  behind(role: string, readings: readonly Reading[], most: number): number;
  /**
   * Records a step. False: the cursor stood elsewhere, and nothing was recorded. Throws `EXECUTION_IN_USE` where another process has taken
   * the execution over, `STORE_UNAVAILABLE` where the store cannot be written.
   */
  step(step: Step): Promise<boolean>;
  /** The same in one try, before it returns: for a process that ends at once. Throws where the store cannot be written this moment. */
  stepAtOnce(step: Step): void;
}

/** The state of an execution as its driver sees it. */
export interface Overview {
  phase(): Phase;
  counts(): Counts;
  /** Whether everything that was announced is done: files ready, samples and slices as planned, every slice final. */
  isSettled(): boolean;
  /** The oldest request to stop that nobody has carried out. */
  pendingStop(): Message<'stop_workflow'> | undefined;
  /** The oldest request to pause or to go on that nobody has carried out. */
  pendingPause(): Message<'pause_workflow' | 'resume_workflow'> | undefined;
}

/** A slice that a worker can take. */
export interface OpenSlice {
  slice_id: number;
  slice_filename: string;
  tf_filename: string;
  stf_filename: string;
  tf_first: number;
  tf_last: number;
  tf_count: number;
  attempt: number;
}

/** A slice that a worker began and did not end. */
export interface LeftSlice extends OpenSlice {
  /** The slot that had it. */
  worker_id: string;
  hostname: string;
  /** How many drivers were killed while this attempt was in hand. */
  killed_drivers: number;
}

/** The slices of an execution as its workers see them. */
export interface SliceQueue {
  /** Whether the run's phase lets a worker take a slice. */
  isOpen(): boolean;
  /** The next queued slices, the oldest first. */
  queued(limit: number): OpenSlice[];
  /** The slices in hand. */
  inProcess(): LeftSlice[];
  /** How an attempt stands that a broker hands out. */
  standing(sliceFilename: string, attempt: number): SliceStanding;
}

/** `open`: to be worked on. `over`: there is nothing to do. `given up`: too many of its starts were lost. */
export type SliceStanding = 'open' | 'over' | 'given up';

/** Facts about a payload command, as they stand in `slice_result`. */
export type PayloadFacts = Partial<
  Pick<Draft<'slice_result'>, 'exit_code' | 'signal' | 'output_tail' | 'outputs' | 'outputs_omitted'>
>;

/** The result of one slice. `seconds` is its processing time. */
export type PayloadResult = { seconds: number; facts?: PayloadFacts } & (
  | { state: 'done' }
  | { state: 'failed'; error: string }
);

/** The work of a worker on a slice. Every failure is the slice's result; only a faulty disk throws, `DATA_UNAVAILABLE`. */
export interface Payload {
  run(slice: OpenSlice, by: { worker_id: string; signal: AbortSignal }): Promise<PayloadResult>;
}
