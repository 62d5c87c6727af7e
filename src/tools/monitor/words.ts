import type { ExecutionRow } from '../../db/execution/find-execution.ts';
import type { ExecutionRecord } from '../../db/reports/execution-detail.ts';
import { clause } from '../../lib/words.ts';

/** A status, with its reason if the reason adds anything. */
export const statusWords = (status: string, reason: string | null | undefined) =>
  `${status}${reason === status ? '' : clause(' (', reason, ')')}`;

/**
 * Slices that are not retried, in words, such as `1 failed permanently`.
 * @param slices the number of slices, or a phrase such as `2 slices`
 */
export const stayFailed = (slices: number | string) => `${slices} failed permanently`;

/**
 * The known STF files of prompt processing, in words.
 * @param files the number of files in words, such as `2 STF files`
 */
export function promptFiles(
  files: string,
  { stf_failed, processing_unheard }: ExecutionRow,
  { dataset_files, stfs_ready }: ExecutionRecord,
) {
  if (processing_unheard === 1) return `${files} announced`;
  return `${files} announced, ${dataset_files} registered, ${stfs_ready} processed, ${stf_failed} failed`;
}

/** The unfinished slices. In an observed execution, no message says whether they are waiting or being processed. */
export function openWords(queued: number, inHand: { count: number; lost: number } | undefined) {
  if (inHand === undefined) return `${queued} without a result`;
  return `${queued} queued, ${inHand.count} processing${inHand.lost === 0 ? '' : `, ${inHand.lost} to be redone`}`;
}

/**
 * The phase of a run in words that cannot be mistaken for the state of the whole execution: phase `completed`
 * only says that the DAQ is done. Empty for an ended execution.
 */
export function phaseWords({ phase, status }: { phase: string; status: string }) {
  if (status !== 'running') return '';
  return phase === 'completed' ? 'the DAQ is done' : `phase ${phase}`;
}
