import type { ExecutionStatus } from '../domain/states.ts';
import { counted } from '../lib/counted.ts';
import { roundDuration } from '../lib/duration.ts';
import type { Some } from './evidence.ts';
import type { Gap } from './heard-facts.ts';

/**
 * The counts that may be expected. Files are STF files and TF files; `registered` and `processed` are of STF
 * files.
 */
export const expectable = ['stf', 'tf', 'slices', 'completed', 'failed', 'registered', 'processed'] as const;

export type Expected = Partial<Record<(typeof expectable)[number], number>>;

/** What decides whether a run passes. Times are milliseconds since 1970. */
export interface Gated {
  status: ExecutionStatus;
  status_reason: string | null;
  /** The checks of its audit. */
  checks: readonly {
    check: string;
    state: string;
    expected: number;
    found: number;
    problem?: string;
    ids: readonly string[];
    id_count: number;
  }[];
  /** Slices, or STF files of prompt processing, that stay failed. */
  failed: Some;
  counts: Record<keyof Expected, number>;
  /** What its workflow makes, in words: how many are done. */
  made: { done: number; words: string };
  /** Undefined of an own execution: nothing of it can be missed. */
  heard: { isBeginHeard: boolean; gaps: readonly Gap[] } | undefined;
}

/** A reason not to pass, with the ids that it names. */
export interface GateReason {
  words: string;
  ids: readonly string[];
  id_count: number;
}

const reason = (words: string, { ids, count }: Some = { ids: [], count: 0 }): GateReason => ({
  words,
  ids,
  id_count: count,
});

/**
 * Why a run does not pass; empty if it does: it was completed, is balanced, was heard throughout, has
 * results, and nothing stayed failed.
 * @param expected counts that must be exactly these; `failed` allows as many
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
      : [reason(`${failed.count} stayed failed; --expect failed=${failed.count} allows them`, failed)]),
    ...differ.map((key) => reason(`${key} is ${counts[key]}, expected ${expected[key]}`)),
  ];
}

function statusWords({ status, status_reason }: Gated): string {
  if (status === 'running') return 'it has not ended';
  if (status === 'unknown') return `its end was not received: ${status_reason}`;
  return `it was ${status}, not completed`;
}

const checkReason = ({
  check,
  expected,
  found,
  problem = '',
  ids,
  id_count: count,
}: Gated['checks'][number]): GateReason => reason(`${check} ${found} of ${expected}: ${problem}`, { ids, count });

function hearingReasons(heard: Gated['heard']): GateReason[] {
  if (heard === undefined) return [];
  const { isBeginHeard, gaps } = heard;
  const seconds = gaps.reduce((sum, { from, until }) => sum + until - from, 0) / 1000;
  return [
    ...(isBeginHeard ? [] : [reason('its start was not received')]),
    ...(gaps.length === 0
      ? []
      : [
          reason(
            `nothing could be received for ${roundDuration(seconds)} in ${counted(gaps.length, 'gap')} (${gaps[0]?.reason})`,
          ),
        ]),
  ];
}
