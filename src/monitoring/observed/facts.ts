import type { Counts } from '../../domain/counts.ts';
import type { Phase } from '../../domain/run-phases.ts';
import type { StageDelay } from '../../domain/stages.ts';
import type { ExecutionStatus } from '../../domain/states.ts';
import type { Evidence, FailureCause, SlowSlice } from '../evidence.ts';
import type { FailuresInARow } from '../failures-in-a-row.ts';

/** Some of many: how many there are, and the first of them. */
export interface Some {
  count: number;
  ids: readonly string[];
}

/** A time in which nothing was heard. Milliseconds since 1970. */
export interface Gap {
  from: number;
  until: number;
  reason: string;
  /** Its results and files were read from swf-monitor since. */
  isFilled?: boolean;
}

/** A status as its runner told it last, and when. Milliseconds since 1970. */
export interface Told {
  status: ExecutionStatus;
  at: number;
  by: string | undefined;
}

/** A key that a sender fills in some messages of a type, and not in others. */
export interface BrokenKey {
  sender: string;
  message_type: string;
  key: string;
  /** Messages without it, of all of the sender, type and state. */
  missing: number;
  of: number;
  /** The id of one without it. */
  example: string | undefined;
}

/** Everything that is known of an observed execution at one moment. Times are milliseconds since 1970. */
export interface ObservedFacts {
  execution_id: string;
  /** As its programs call it. */
  told_id: string;
  run_id: string;
  status: ExecutionStatus;
  phase: Phase;
  /** As its runner has told it by REST. */
  told: Told | undefined;
  /** Slices that were registered by REST; and those of them, registered a while ago, of which no message was heard. */
  slices_told: number;
  unsent: Some;
  /** Whether any message of it was heard on the bus. */
  isBusHeard: boolean;
  counts: Counts;
  /** Heard time: now while somebody listens, else the end of what was heard. */
  now: number;
  isListening: boolean;
  heard_since: number;
  gaps: readonly Gap[];
  first_message: number;
  last_message: number;
  messages: number;
  /** When the first and the last STF was announced; undefined where fewer than two were. */
  stf_span: { first: number; last: number } | undefined;
  tf_files_sliced: number;
  without_execution: number;
  results_repeated: number;
  results_unmatched: number;
  /** When the first slice was sent, the oldest that waits, and when the last result came. */
  first_slice: number | undefined;
  oldest_waiting: number | undefined;
  last_result: number | undefined;
  /** Slices that wait though slices that were sent later were answered long ago. */
  passed: Some;
  /** TF files that were announced a while ago by one whose files are sliced, and are not sliced. */
  unsliced: Some;
  /** STF files that were announced a while ago and are not ready. */
  unready: Some;
  failed: Some;
  causes: readonly FailureCause[];
  /** Attempts that failed since the last slice was done, where there are any. */
  failing: FailuresInARow | undefined;
  /** The place that has more failures than chance gives, of the newest slices. */
  concentration: Evidence['concentration'];
  /** The slice that took longest, where that is out of all proportion. */
  slowest: SlowSlice | undefined;
  delays: readonly StageDelay[];
  /** How long workers take to come, in seconds, where it was told. */
  ramp_up: number | undefined;
  /** When a worker of the namespace last gave a sign of life. */
  last_worker_sign: number | undefined;
  /** TF files in the order in which they were sliced, with the size of their largest slice. */
  shrunken: { count: number; first: string; largest: number; usual: number } | undefined;
  broken_keys: readonly BrokenKey[];
}

/** Seconds from a time to the moment of the facts. */
export const secondsSince = ({ now }: ObservedFacts, time: number): number => Math.max(0, (now - time) / 1000);

/** How long a worker usually has a slice at most: 95 of 100 take no longer. Seconds; 0 while nobody knows. */
export const usualProcessing = (delays: readonly StageDelay[]): number =>
  delays.find(({ stage }) => stage === 'slice_started → slice_result')?.p95 ?? 0;

/** A slice is not waited for any longer when later ones were answered so long ago, in seconds. */
export const passedSeconds = (delays: readonly StageDelay[]): number => Math.max(60, 3 * usualProcessing(delays));

/** Without any result for so long, in seconds, nobody works. */
export const noResultSeconds = (delays: readonly StageDelay[]): number => Math.max(120, 6 * usualProcessing(delays));

/** The next step is expected so many seconds after a file was announced. */
export const nextStepSeconds = 60;
