import type { Phase } from '../domain/run-phases.ts';
import type { StageDelay } from '../domain/stages.ts';
import type { ExecutionStatus } from '../domain/states.ts';
import { timeWithin } from '../lib/merged-spans.ts';
import type { Some } from './evidence.ts';
import { delayOf, type SliceFacts } from './facts.ts';
import type { PromptFacts } from './prompt-facts.ts';

/** A period in which nothing was received. Milliseconds since 1970. */
export interface Gap {
  from: number;
  until: number;
  reason: string;
  /** Whether the results and files from the gap have since been read from swf-monitor. */
  isFilled?: boolean;
}

/** A key that a sender includes in some messages of a type but not in others. */
export interface BrokenKey {
  sender: string;
  message_type: string;
  key: string;
  /** Number of messages without the key, and of all messages with the same sender, type and state. */
  missing: number;
  of: number;
  example: string | undefined;
}

/** The record of an observed run. Times are milliseconds since 1970. */
export interface HeardRecord {
  /** The id that the run's programs use. */
  told_id: string;
  run_id: string;
  /** The letters of the dialects in the run's messages. */
  dialects: string;
  first_message: number;
  last_message: number;
  without_execution: number;
  /** 1 once the run's end has been announced and no file or slice is still pending. */
  is_done: number;
  /** Number of results for attempts that already had a result, and of results that match no slice. */
  results_repeated: number;
  results_unmatched: number;
  /**
   * Number of slices registered over REST; how many of those have no message on the bus; and how many of the
   * slices without a message have a result from REST.
   */
  slices_told: number;
  slices_unsent: number;
  slices_unheard: number;
}

/**
 * Everything that messages from other programs show about their execution at one moment. Times are
 * milliseconds since 1970.
 */
export interface HeardFacts extends SliceFacts, HeardRecord {
  phase: Phase;
  /** Present only for prompt processing. */
  prompt: PromptFacts | undefined;
  /** Whether the announcement or the start of the run was received. */
  isBeginHeard: boolean;
  /** Agents that took part but belong to the other workflow. */
  strangers: readonly string[];
  /** The status that the run's runner last reported over REST. */
  told: { status: ExecutionStatus; at: number; by: string | undefined } | undefined;
  /** Whether nothing more is expected, so that missing items can be reported immediately. */
  isOver: boolean;
  /** Whether slices and results may arrive on a subscribed topic. */
  hearsSlices: boolean;
  hearsResults: boolean;
  /**
   * Whether the run's slices can be seen (`seen`), even if there are none yet. Otherwise, why not: they are not
   * on a subscribed topic (`unheard`); nothing shows that any program creates slices (`none`); it is unknown
   * which of these two applies (`none or unheard`); or the workflow has no slices (`never`).
   */
  slicing: 'seen' | 'unheard' | 'none' | 'none or unheard' | 'never';
  /** Slices registered over REST a while ago, without any message on the bus. */
  unsent: Some;
  /** Whether any message about the run was received on the bus. */
  isBusHeard: boolean;
  /** The current time while an observer listens, otherwise the end of the observation. */
  now: number;
  isListening: boolean;
  /** Whether an observer is alive, even while its broker is unreachable. */
  isObserved: boolean;
  heard_since: number;
  gaps: readonly Gap[];
  messages: number;
  /**
   * When the first and the last STF were announced, and the number of STFs; undefined if there are fewer than
   * two, or if the run has ended.
   */
  stf_span: { first: number; last: number; n: number } | undefined;
  tf_files_sliced: number;
  /** The message ids of the first few results for attempts that already had a result. */
  repeated_ids: readonly string[];
  /**
   * When the first slice was sent (only while no result has arrived), when the last one was sent (only if some
   * files are not sliced), and when the oldest waiting one was sent (only until the run has ended).
   */
  first_slice: number | undefined;
  last_slice: number | undefined;
  oldest_waiting: number | undefined;
  /** When the last result arrived; undefined if none has. */
  last_result: number | undefined;
  /** Slices that are still waiting although slices sent later were answered a while ago. */
  passed: Some;
  /** TF files announced a while ago but not sliced, although other files from the same sender have been. */
  unsliced: Some;
  /** STF files announced a while ago but not ready; none if the run's workflow is unknown. */
  unready: Some;
  isWorkflowKnown: boolean;
  /** How long workers take to start, in seconds, if reported. */
  ramp_up: number | undefined;
  /** When a worker in the namespace last sent a sign of life. */
  last_worker_sign: number | undefined;
  /** When the oldest unsliced TF file was announced, if the names of slices show that it is unsliced. */
  oldest_unsliced: number | undefined;
  /**
   * Workers that served this run and have sent no sign of life for too long, and live workers that last
   * served an earlier run.
   */
  gone_workers: readonly string[];
  bound_workers: readonly { worker: string; run_id: string }[];
  /** TF files whose largest slice is smaller than usual: their number, the first of them, and the sizes. */
  shrunken: { count: number; first: string; largest: number; usual: number } | undefined;
  broken_keys: readonly BrokenKey[];
}

/** The number of seconds in which nothing was received. */
export const gapSeconds = (gaps: readonly Gap[]) => timeWithin(gaps) / 1000;

/** The seconds from a time until the moment of the facts, not counting gaps. */
export function secondsSince({ now, gaps }: Pick<HeardFacts, 'now' | 'gaps'>, time: number) {
  return Math.max(0, (now - time - timeWithin(gaps, time, now)) / 1000);
}

/** The p95 of the time that a worker spends on a slice, in seconds; 0 while unknown. */
const usualProcessing = (delays: readonly StageDelay[]) => delayOf(delays, 'slice_started → slice_result')?.p95 ?? 0;

/** A slice counts as passed over if a slice sent later was answered at least this long ago, in seconds. */
export const passedSeconds = (delays: readonly StageDelay[]) => Math.max(60, 3 * usualProcessing(delays));

/** If no result arrives for this long, in seconds, no worker is working. */
export const noResultSeconds = (delays: readonly StageDelay[]) => Math.max(120, 6 * usualProcessing(delays));

/** After a file is announced, its next step is expected within this number of seconds. */
export const nextStepSeconds = 60;

/** In words, how long ago the next step was due; empty for a run that is over. */
export const longAgo = (isOver: boolean) => (isOver ? '' : ` more than ${nextStepSeconds} s ago`);

/** Whether slices are waiting and no result has arrived for too long. */
export function isUnanswered(facts: HeardFacts) {
  if (facts.oldest_waiting === undefined || !facts.hearsResults) return false;
  return secondsSince(facts, Math.max(facts.oldest_waiting, facts.last_result ?? 0)) >= noResultSeconds(facts.delays);
}

const minSilence = 120;
/** The next period of data taking may be planned to begin long after the previous one. */
const longStandby = 600;
const usualDistances = 5;

/** Whether a run has not ended but nothing new about it has been received for much longer than usual. */
export function isQuiet(facts: HeardFacts) {
  const { phase, status, last_message, told, is_done } = facts;
  // A runner that reports over REST also reports the execution's end.
  const mayDrain = phase === 'completed' && (told === undefined || is_done === 0);
  if (status !== 'running' || mayDrain) return false;
  const least = phase === 'standby' ? longStandby : minSilence;
  return secondsSince(facts, last_message) >= Math.max(least, usualDistances * usualDistance(facts));
}

/**
 * Whether a run is quiet without a known reason. If only its monitor is read, nothing new arrives while its
 * files wait for PanDA.
 */
export const isSilent = (facts: HeardFacts) =>
  isQuiet(facts) && (facts.isBusHeard || (facts.prompt?.open.count ?? 0) === 0);

/** The mean number of seconds between STFs if at least two were announced, otherwise between messages. */
function usualDistance({ stf_span, first_message, last_message, messages }: HeardFacts) {
  if (stf_span !== undefined) return (stf_span.last - stf_span.first) / (stf_span.n - 1) / 1000;
  return messages > 1 ? (last_message - first_message) / (messages - 1) / 1000 : 0;
}

/** Why slices cannot be seen. */
export const unseenWords: Readonly<Record<Exclude<HeardFacts['slicing'], 'seen'>, string>> = {
  unheard: 'slices are not on a subscribed topic',
  none: 'no program here makes slices',
  'none or unheard': 'slices are not on a subscribed topic, or no program here makes slices',
  never: 'prompt processing makes no slices',
};

/**
 * Why a run has no slice counts, so that a 0 would not mean "no slices"; undefined if it has counts, so that a
 * 0 means "no slices yet".
 */
export const whyUncounted = ({ slicing, counts }: Pick<HeardFacts, 'slicing' | 'counts'>) =>
  slicing === 'seen' || slicing === 'none' || (slicing !== 'never' && counts.slices_created > 0)
    ? undefined
    : unseenWords[slicing];
