import { type Expected, expectable } from '../domain/expected-counts.ts';
import type { ExecutionStatus } from '../domain/states.ts';
import { counted } from '../lib/counted.ts';
import { roundDuration } from '../lib/duration.ts';
import type { Some } from './evidence.ts';
import { type Gap, gapSeconds } from './heard-facts.ts';

/** One check of an audit, and what it found. */
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
    // Of prompt processing.
    | 'handed_over'
    | 'processing'
    | 'stf_registered'
    | 'stf_processed'
    | 'stf_failed'
    | 'run_closed';
  /** `unknown`: nothing shows whether it holds, and `problem` says why. */
  state: 'ok' | 'open' | 'broken' | 'unknown';
  expected: number;
  found: number;
  /** The first ids of missing or wrong items. */
  ids: string[];
  /** The total number, including unnamed ids. */
  id_count: number;
  /** The meaning of a state other than `ok`. */
  problem?: string;
}

/** What decides whether a run passes. Times are milliseconds since 1970. */
export interface Gated {
  status: ExecutionStatus;
  status_reason: string | null;
  /** The checks of its audit. */
  checks: readonly AuditCheck[];
  /** Slices, or STF files of prompt processing, that failed permanently. */
  failed: Some;
  counts: Record<keyof Expected, number>;
  /** How many of its workflow's products are done, with their name in words. */
  made: { done: number; words: string };
  /** Undefined for one of our own executions: none of its messages can be missed. */
  heard: { isBeginHeard: boolean; gaps: readonly Gap[] } | undefined;
}

/** A reason not to pass, with the ids that it names. */
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
 * Why a run does not pass; empty if it does: it was completed, is balanced, was heard throughout, has
 * results, and nothing failed permanently.
 * @param expected counts that must be exactly these; `failed` permits that many permanent failures
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

function statusWords({ status, status_reason }: Gated): string {
  if (status === 'running') return 'it has not ended';
  if (status === 'unknown') return `its end was not received: ${status_reason}`;
  return `it was ${status}, not completed`;
}

const checkReason = ({ check, expected, found, problem = '', ids, id_count: count }: AuditCheck) =>
  reason(`${check} ${found} of ${expected}: ${problem}`, { ids, count });

function hearingReasons(heard: Gated['heard']): GateReason[] {
  if (heard === undefined) return [];
  const { isBeginHeard, gaps } = heard;
  return [
    ...(isBeginHeard ? [] : [reason('its start was not received')]),
    ...(gaps.length === 0
      ? []
      : [
          reason(
            `nothing could be received for ${roundDuration(gapSeconds(gaps))} in ${counted(gaps.length, 'gap')} (${gaps[0]?.reason})`,
          ),
        ]),
  ];
}
