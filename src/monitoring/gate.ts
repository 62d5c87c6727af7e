import { type Expected, expectable } from '../domain/expected-counts.ts';
import type { ExecutionStatus } from '../domain/states.ts';
import { counted } from '../lib/counted.ts';
import { roundDuration } from '../lib/duration.ts';
import type { Some } from './evidence.ts';
import { type Gap, gapSeconds } from './heard-facts.ts';

export interface AuditCheck {
  check:
    | 'stf_planned'
    | 'stf_announced'
    | 'stf_ready'
    | 'samples'
    | 'slices'
    | 'coverage'
    | 'results'
    | 'counts'
    // Checks for prompt processing.
    | 'handed_over'
    | 'processing'
    | 'stf_registered'
    | 'stf_processed'
    | 'stf_failed'
    | 'run_closed';
  /** `unknown`: it is unknown whether the check passes; `problem` says why. */
  state: 'ok' | 'open' | 'broken' | 'unknown';
  expected: number;
  found: number;
  /** The first ids of missing or wrong items. */
  ids: string[];
  /** The total number, including ids that are not listed. */
  id_count: number;
  /** The meaning of a state other than `ok`. */
  problem?: string;
}

/** The facts that decide whether a run passes. Times are milliseconds since 1970. */
export interface Gated {
  status: ExecutionStatus;
  status_reason: string | null;
  checks: readonly AuditCheck[];
  /** The slices, or STF files of prompt processing, that failed permanently. */
  failed: Some;
  counts: Record<keyof Expected, number>;
  /** Number of finished products of the workflow, and the word for them. */
  made: { done: number; words: string };
  /** Undefined for the store's own executions: the store cannot miss any messages from them. */
  heard: { isBeginHeard: boolean; gaps: readonly Gap[] } | undefined;
}

/** A reason why a run does not pass, with the ids concerned. */
export interface GateReason {
  words: string;
  ids: readonly string[];
  id_count: number;
}

const reason = (words: string, { ids, count }: Some = { ids: [], count: 0 }) => ({
  words,
  ids,
  id_count: count,
});

/**
 * Why a run does not pass; empty if it passes. A run passes if it was completed, its audit is balanced, it
 * was observed throughout, it has results, and nothing failed permanently.
 * @param expected the exact counts required; if `failed` is one of them, permanent failures are permitted
 */
export function gateReasons(run: Gated, expected: Expected): GateReason[] {
  const { status, checks, failed, counts, made, heard } = run;
  const differ = expectable.filter((key) => expected[key] !== undefined && expected[key] !== counts[key]);
  return [
    ...(status === 'completed' ? [] : [reason(statusWords(run))]),
    ...checks.filter(({ state }) => state !== 'ok').map(checkReason),
    ...hearingReasons(heard),
    ...(made.done > 0 || expected.completed === 0 || expected.processed === 0 ? [] : [reason(`no ${made.words}`)]),
    ...(failed.count === 0 || expected.failed !== undefined
      ? []
      : [reason(`${failed.count} failed permanently; --expect failed=${failed.count} allows them`, failed)]),
    ...differ.map((key) => reason(`${key} is ${counts[key]}, expected ${expected[key]}`)),
  ];
}

function statusWords({ status, status_reason }: Gated) {
  if (status === 'running') return 'it has not ended';
  if (status === 'unknown') return `its end was not reported: ${status_reason}`;
  return `its status is ${status}, not completed`;
}

const checkReason = ({ check, expected, found, problem = '', ids, id_count: count }: AuditCheck) =>
  reason(`${check} ${found} of ${expected}: ${problem}`, { ids, count });

function hearingReasons(heard: Gated['heard']) {
  if (heard === undefined) return [];
  const { isBeginHeard, gaps } = heard;
  return [
    ...(isBeginHeard ? [] : [reason('its first messages were not received')]),
    ...(gaps.length === 0
      ? []
      : [
          reason(
            `nothing could be received for a total of ${roundDuration(gapSeconds(gaps))}, in ${counted(gaps.length, 'gap')} (${gaps[0]?.reason})`,
          ),
        ]),
  ];
}
