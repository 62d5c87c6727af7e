import type { Phase } from '../domain/run-phases.ts';
import type { StageDelay } from '../domain/stages.ts';
import type { ExecutionStatus } from '../domain/states.ts';
import { timeWithin } from '../lib/merged-spans.ts';
import type { Some } from './evidence.ts';
import { delayOf, type SliceFacts } from './facts.ts';
import type { PromptFacts } from './prompt-facts.ts';

/** A period in which nothing was heard. Milliseconds since 1970. */
export interface Gap {
  from: number;
  until: number;
  reason: string;
  /** Its results and files have since been read from swf-monitor. */
  isFilled?: boolean;
}

/** A key that a sender fills in some messages of a type but not in others. */
export interface BrokenKey {
  sender: string;
  message_type: string;
  key: string;
  /** Messages without the key, of all messages of the sender, type and state. */
  missing: number;
  of: number;
  /** The id of a message without the key. */
  example: string | undefined;
}

/** What is recorded about a run of other programs. Times are milliseconds since 1970. */
export interface HeardRecord {
  /** The id that its programs use. */
  told_id: string;
  run_id: string;
  /** The dialects that were heard, a letter each. */
  dialects: string;
  first_message: number;
  last_message: number;
  without_execution: number;
  /** Results of attempts that had one, and results that fit no slice. */
  results_repeated: number;
  results_unmatched: number;
  /**
   * Slices registered by REST; of these, the ones of which no message was heard; and slices without a message
   * that have a result by REST.
   */
  slices_told: number;
  slices_unsent: number;
  slices_unheard: number;
}

/**
 * Everything that messages of other programs show about their execution at one moment. Times are milliseconds
 * since 1970.
 */
export interface HeardFacts extends SliceFacts, HeardRecord {
  phase: Phase;
  /** Of prompt processing alone. */
  prompt: PromptFacts | undefined;
  /** Whether the announcement of the run was heard, or its start. */
  isBeginHeard: boolean;
  /** Agents of the other workflow that took part. */
  strangers: readonly string[];
  /** The status that its runner reported last by REST. */
  told: { status: ExecutionStatus; at: number; by: string | undefined } | undefined;
  /** Whether nothing more is expected of it, so that what is missing is judged without waiting. */
  isOver: boolean;
  /** Whether slices, and results, may arrive on a subscribed topic. */
  hearsSlices: boolean;
  hearsResults: boolean;
  /**
   * Whether its slices can be seen: they were, or would be. Otherwise they are not on a subscribed topic
   * (`unheard`), nothing shows that any program makes slices (`none`), or one of the two; or its workflow makes
   * none (`never`).
   */
  slicing: 'seen' | 'unheard' | 'none' | 'none or unheard' | 'never';
  /** Slices registered by REST a while ago, of which no message was heard. */
  unsent: Some;
  /** Whether any message about it was heard on the bus. */
  isBusHeard: boolean;
  /** Now while an observer listens, otherwise the end of what was heard. */
  now: number;
  isListening: boolean;
  /** Whether an observer is alive: its broker may be away for a while. */
  isObserved: boolean;
  heard_since: number;
  gaps: readonly Gap[];
  messages: number;
  /**
   * When the first and the last STF were announced, and how many were; undefined with fewer than two, and
   * after the end.
   */
  stf_span: { first: number; last: number; n: number } | undefined;
  tf_files_sliced: number;
  /** The ids of the first results of attempts that had one. */
  repeated_ids: readonly string[];
  /**
   * When the first slice was sent, while no result has arrived; the last one, if files are not sliced; and
   * the oldest waiting one, until the run has ended.
   */
  first_slice: number | undefined;
  last_slice: number | undefined;
  oldest_waiting: number | undefined;
  /** When the last result arrived, if any slice failed or is waiting. */
  last_result: number | undefined;
  /** Slices still waiting although slices sent later were answered long ago. */
  passed: Some;
  /** TF files announced a while ago and not sliced, although other files of their sender are. */
  unsliced: Some;
  /** STF files announced a while ago but not ready; none if nothing shows which workflow the run has. */
  unready: Some;
  isWorkflowKnown: boolean;
  /** How long workers take to start, in seconds, if reported. */
  ramp_up: number | undefined;
  /** When a worker of the namespace last gave a sign of life. */
  last_worker_sign: number | undefined;
  /** When the oldest TF file was announced that is not sliced, if the names of slices show it. */
  oldest_unsliced: number | undefined;
  /**
   * Workers that served this run and have given no sign for too long, and live workers that last served an
   * earlier run.
   */
  gone_workers: readonly string[];
  bound_workers: readonly { worker: string; run_id: string }[];
  /** TF files in the order in which they were sliced, with the size of their largest slice. */
  shrunken: { count: number; first: string; largest: number; usual: number } | undefined;
  broken_keys: readonly BrokenKey[];
}

/** Seconds in which nothing was heard. */
export const gapSeconds = (gaps: readonly Gap[]) => timeWithin(gaps) / 1000;

/** Seconds from a time to the moment of the facts in which messages could be heard. */
export function secondsSince({ now, gaps }: Pick<HeardFacts, 'now' | 'gaps'>, time: number): number {
  return Math.max(0, (now - time - timeWithin(gaps, time, now)) / 1000);
}

/** The p95 of the time that a worker spends on a slice, in seconds; 0 while unknown. */
const usualProcessing = (delays: readonly StageDelay[]) => delayOf(delays, 'slice_started → slice_result')?.p95 ?? 0;

/** A slice counts as passed over once later ones were answered this long ago, in seconds. */
export const passedSeconds = (delays: readonly StageDelay[]) => Math.max(60, 3 * usualProcessing(delays));

/** Without a result for this long, in seconds, no worker is working. */
export const noResultSeconds = (delays: readonly StageDelay[]) => Math.max(120, 6 * usualProcessing(delays));

/** The next step is expected within this many seconds after a file was announced. */
export const nextStepSeconds = 60;

/** How long ago that was due; empty for a run that is over. */
export const longAgo = (isOver: boolean) => (isOver ? '' : ` more than ${nextStepSeconds} s ago`);

/** Whether slices wait and none has had a result for too long. */
export function isUnanswered(facts: HeardFacts): boolean {
  const { oldest_waiting, last_result, delays } = facts;
  if (oldest_waiting === undefined || !facts.hearsResults) return false;
  return secondsSince(facts, Math.max(oldest_waiting, last_result ?? 0)) >= noResultSeconds(delays);
}

const minSilence = 120;
const usualDistances = 5;

/** Whether a run has not ended but nothing new has been heard of it for much longer than usual. */
export function isQuiet(facts: HeardFacts): boolean {
  const { phase, status, last_message } = facts;
  if (status !== 'running' || phase === 'completed' || phase === 'standby') return false;
  return secondsSince(facts, last_message) >= Math.max(minSilence, usualDistances * usualDistance(facts));
}

/**
 * Whether a run is quiet without a known reason: if only its monitor is read, nothing new arrives while its
 * files wait for PanDA.
 */
export const isSilent = (facts: HeardFacts): boolean =>
  isQuiet(facts) && (facts.isBusHeard || (facts.prompt?.open.count ?? 0) === 0);

/** Mean seconds between STFs if two were announced, else between messages. */
function usualDistance({ stf_span, first_message, last_message, messages }: HeardFacts): number {
  if (stf_span !== undefined) return (stf_span.last - stf_span.first) / (stf_span.n - 1) / 1000;
  return messages > 1 ? (last_message - first_message) / (messages - 1) / 1000 : 0;
}

/** Why slices are not seen. */
export const unseenWords: Readonly<Record<Exclude<HeardFacts['slicing'], 'seen'>, string>> = {
  unheard: 'slices are not on a subscribed topic',
  none: 'no program here makes slices',
  'none or unheard': 'slices are not on a subscribed topic, or no program here makes slices',
  never: 'prompt processing makes no slices',
};

/**
 * Why a run has no counts of slices: a count of 0 would not mean that there are none. Undefined if it has, and 0
 * means that there are none yet.
 */
export const whyUncounted = ({ slicing, counts }: Pick<HeardFacts, 'slicing' | 'counts'>): string | undefined =>
  slicing === 'seen' || slicing === 'none' || (slicing !== 'never' && counts.slices_created > 0)
    ? undefined
    : unseenWords[slicing];
