import type { Phase } from '../domain/run-phases.ts';
import type { LogLine } from '../lib/logger.ts';
import type { Draft, Message, MessageType } from '../messages/vocabulary.ts';

/**
 * The one seam between those who work on an execution and the store: agents and driver see these interfaces,
 * `db/journal.ts` implements them, and neither side imports the other.
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
  /** What is said; a function is asked inside the transaction, where the store stands still. */
  says: Draft[] | (() => Draft[]);
  logs?: LogLine[];
  /** The reader's cursor moves from here to there; the step is refused if it stands elsewhere. */
  cursor?: { role: string; from: number; to: number };
  /** The ids of commands that this step takes up. */
  takes?: string[];
  /** Commands that are answered with a reason, and have no other effect. */
  refuses?: { id: string; reason: string }[];
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

/** The messages of a type, or of them those in one `state`: what a reader need not look at is not even fetched. */
export type Reading = MessageType | { msg_type: MessageType; state: string };

/** One execution's log as those who work on it see it: the store behind it is none of their business. */
export interface Journal {
  cursor(role: string): number;
  /** Messages that had an effect, after `after`, at most `limit`; `seen` is how far the log was looked at. */
  read(readings: readonly Reading[], after: number, limit: number): { messages: LoggedMessage[]; seen: number };
  /** The same for messages that took effect late, in the order of that; `seq` is their place among these. */
  readLate(readings: readonly Reading[], after: number, limit: number): { messages: LoggedMessage[]; seen: number };
  message(id: string): Message | undefined;
  /** How many messages a role has still to read; counting stops at `most`. */
  behind(role: string, readings: readonly Reading[], most: number): number;
  /** Records a step. False means that the cursor stood elsewhere and nothing was recorded. */
  step(step: Step): Promise<boolean>;
}

/** The counts of an execution that everybody reports alike. */
export interface Counts {
  stf_count: number;
  tf_files_received: number;
  slices_created: number;
  slices_queued: number;
  slices_processing: number;
  slices_completed: number;
  slices_failed: number;
}

/** What the driver sees of the store beside the log. */
export interface Overview {
  phase(): Phase;
  counts(): Counts;
  /** Whether everything that was announced is done: files ready, samples and slices as planned, every slice final. */
  isSettled(): boolean;
  /** The oldest request to stop that nobody has taken up. */
  pendingStop(): Message<'stop_workflow'> | undefined;
  /** The oldest request to pause or to go on that nobody has taken up. */
  pendingPause(): Message<'pause_workflow' | 'resume_workflow'> | undefined;
}

/** What workers see of the store beside the log. */
export interface SliceQueue {
  /** Whether the run's phase lets a worker take a slice. */
  isOpen(): boolean;
  /** The next queued slices, retries first among equals because they are older. */
  queued(limit: number): OpenSlice[];
  /** Slices that a worker began and did not end. */
  inProcess(): OpenSlice[];
  /** How an attempt stands that a broker hands out: to be worked on, over, or given up after too many lost starts. */
  standing(sliceFilename: string, attempt: number): SliceStanding;
}

export type SliceStanding = 'open' | 'over' | 'given up';
