import type { ExecutionRow } from '../../db/execution/find-execution.ts';
import type { Queries } from '../../db/queries.ts';
import type { ExecutionRecord } from '../../db/reports/execution-detail.ts';
import type { Expected } from '../../domain/expected-counts.ts';
import { isPrompt } from '../../domain/workflows.ts';
import { someOf } from '../../lib/counted.ts';
import { pause } from '../../lib/deadline.ts';
import { hasCode, NoStoreYet } from '../../lib/errors.ts';
import { type Gated, type GateReason, gateReasons } from '../../monitoring/gate.ts';
import { exitCodes, interruptionOf, type Io } from '../shared/io.ts';
import { printLines } from '../shared/print-lines.ts';
import { createStoreReader } from '../shared/store-reader.ts';

export interface StrictArguments {
  executionId?: string;
  expect?: Expected;
  /** How long to wait, in seconds, for the run to be complete. */
  wait?: number;
}

/** How often to check whether a run has ended. */
const lookMilliseconds = 500;

/** Messages still on their way at a run's end arrive within this time, in milliseconds. */
const settledMilliseconds = 60_000;

/**
 * `swf-mcp check --strict`: decides for a script whether a run is complete. If so, prints the run and returns
 * 0; otherwise, prints a line for each reason and returns 3. If the execution or the store is still missing
 * after the wait, throws `EXECUTION_NOT_FOUND` or the store's error.
 */
export async function strictCheck(io: Io, { executionId = 'latest', expect = {}, wait = 0 }: StrictArguments) {
  using reader = createStoreReader(io);
  const interrupted = interruptionOf(io);
  const until = performance.now() + wait * 1000;
  for (;;) {
    const isLast = performance.now() >= until;
    const judged = judgeNow(reader.queries, executionId, expect, isLast);
    if (interrupted.aborted) return { code: exitCodes.interrupted, execution_id: judged?.execution_id };
    if (judged !== undefined && (isLast || judged.reasons.length === 0 || judged.isSettled))
      return { code: tell(io, judged), execution_id: judged.execution_id };
    await pause(lookMilliseconds, [interrupted]);
  }
}

type Judged = ReturnType<typeof judge>;

/** Undefined while the execution does not exist; it may begin later. */
function judgeNow(queries: () => Queries, executionId: string, expect: Expected, isLast: boolean) {
  try {
    const asked = queries();
    return asked.snapshot(() => judge(asked, asked.execution(executionId), expect));
  } catch (error) {
    const isMissing = error instanceof NoStoreYet || hasCode(error, 'EXECUTION_NOT_FOUND');
    if (isMissing && !isLast) return undefined;
    throw error;
  }
}

function judge(queries: Queries, execution: ExecutionRow, expect: Expected) {
  const now = Date.now();
  const { execution_id, status, status_reason, end_time } = execution;
  const { heard, health, detail } = queries.assess(execution, now);
  const { checks } = queries.audit(execution);
  const counts = countsOf(execution, detail);
  const { failed } = counts;
  const gated = {
    status,
    status_reason,
    checks,
    failed: heard?.prompt?.failed ?? { count: failed, ids: queries.exhaustedSlices(execution_id) },
    counts,
    made: isPrompt(execution)
      ? { done: counts.processed + failed, words: 'STF file was processed, as far as is known' }
      : { done: counts.completed + failed, words: 'slice has a result' },
    heard,
  };
  // The health of an ended run is unknown while files of it are open and no observer is listening.
  const isOver = status === 'unknown' || (status !== 'running' && health !== undefined && health !== 'draining');
  // After a run's end, messages that were on their way may still arrive.
  const mayGoOn = status === 'completed' && heard?.isObserved === true && !hasSettled(end_time, now);
  return { execution_id, words: wordsOf(counts), reasons: gateReasons(gated, expect), isSettled: isOver && !mayGoOn };
}

const hasSettled = (end: string | null, now: number) => end === null || now - Date.parse(end) > settledMilliseconds;

const wordsOf = (counts: Gated['counts']) =>
  `completed and balanced: ${Object.entries(counts)
    .map(([name, n]) => `${name} ${n}`)
    .join(', ')}`;

/**
 * The counts that `--expect` can name. In prompt processing, which has no slices, STF files are counted by
 * their outcome.
 */
function countsOf(execution: ExecutionRow, detail: ExecutionRecord) {
  const { stf_count, tf_files_received, slices_created, slices_completed, stf_failed } = execution;
  const all = { stf: stf_count, tf: tf_files_received, slices: slices_created, completed: slices_completed };
  if (!isPrompt(execution))
    return { ...all, failed: detail.slices_exhausted, registered: stf_count, processed: detail.stfs_ready };
  return { ...all, failed: stf_failed, registered: detail.dataset_files, processed: detail.stfs_ready };
}

function tell(io: Io, { execution_id, words, reasons }: Judged) {
  printLines(
    io,
    reasons.length === 0 ? [`ok    ${execution_id}  ${words}`] : reasons.map((one) => failLine(execution_id, one)),
  );
  return reasons.length === 0 ? exitCodes.fine : exitCodes.workflowFailed;
}

function failLine(id: string, { words, ids, id_count }: GateReason) {
  return `fail  ${id}  ${words}${ids.length === 0 ? '' : `: ${someOf(ids, id_count)}`}`;
}
