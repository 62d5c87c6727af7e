import type { ExecutionStatus } from '../../../domain/states.ts';
import { isPrompt } from '../../../domain/workflows.ts';
import { millisecondsOf } from '../../../lib/time.ts';
import type { Some } from '../../../monitoring/evidence.ts';
import {
  type HeardFacts,
  type HeardRecord,
  nextStepSeconds,
  passedSeconds,
  whyUncounted,
} from '../../../monitoring/heard-facts.ts';
import { busSubjects } from '../../../observed/folding/subjects.ts';
import { anExecution, type ExecutionRow, withPlan } from '../../execution/find-execution.ts';
import { countAllMessages } from '../../lists/message-counts.ts';
import { messageColumns } from '../../migrations/message-columns.ts';
import { heardRunColumns, type HeardRun, heardTimeOf } from '../../observed/hearings.ts';
import type { Moment } from '../../presence/leases.ts';
import { kept } from '../../sqlite/kept-answers.ts';
import type { Prepare } from '../../sqlite/statements.ts';
import { recordDamaged } from '../execution-detail.ts';
import {
  failureCauses,
  failuresByPlace,
  noPlaces,
  observedFailuresInARow,
  slowestSlice,
  serviceFindings,
} from '../failures.ts';
import { aheadOf } from '../life.ts';
import { exhaustedSlices } from '../slices-in-hand.ts';
import { timedDelays } from '../stage-delays.ts';
import { brokenKeys } from './contract.ts';
import { promptFacts, strangersIn } from './prompt.ts';
import { arrivalsOf, slicingOf } from './reach.ts';
import {
  named,
  sampleSizes,
  shrunkenSamples,
  slicedSamples,
  slices,
  someOf,
  unanswered,
  unready,
  unsentSlices,
  unslicedSamples,
} from './samples.ts';
import { lastWorkerSign, rampUp, workersFacts } from './workers.ts';

/** A time after all others, as ISO 8601, for use once no more messages are expected. */
const afterAll = '9999-12-31T23:59:59.999Z';

const none: Some = { count: 0, ids: [] };

/** A row of `observed_runs`. Times are milliseconds since 1970. */
interface ObservedRow extends HeardRecord, HeardRun {
  told_status: ExecutionStatus | null;
  told_by: string | null;
  told_ms: number | null;
  read_ms: number | null;
  /** 0 if there is no result. */
  last_result_ms: number;
  last_done_ms: number;
}

/** Everything known about an observed execution. Throws `STORE_CORRUPT` if its record is damaged. */
export function heardFacts(sql: Prepare, execution: ExecutionRow, moment: Moment): HeardFacts {
  const { read_ms, ...recorded } = kept(sql, recordedFacts)(execution);
  const { told } = recorded;
  const isToldEnded = told !== undefined && told.status !== 'running';
  const heard = heardTimeOf(sql, recorded, moment);
  // After reporting the end of a run, programs still send results of work in progress.
  const mayAnswer = isToldEnded && heard.isObserved && heard.until - told.at < nextStepSeconds * 1000;
  const isOver = execution.status !== 'running' && !mayAnswer;
  const before = (seconds: number) => (isOver ? afterAll : new Date(heard.until - seconds * 1000).toISOString());
  return {
    ...recorded,
    ...dueFacts(sql, execution, recorded, { before, isOver, until: heard.until }),
    status: execution.status,
    phase: execution.phase,
    ahead_seconds: aheadOf(sql, execution.execution_id, moment.now),
    isObserved: heard.isObserved,
    isOver,
    ...arrivalsOf(sql, execution, recorded),
    isBusHeard: execution.slices_created > recorded.slices_unheard || isSaid(sql, execution.execution_id, busSubjects),
    counts: execution,
    now: heard.until,
    until: execution.status === 'running' ? heard.until : recorded.last_message,
    isListening: heard.isListening,
    heard_since: heard.since,
    gaps: heard.gaps.map((gap) => (gap.until <= (read_ms ?? 0) ? { ...gap, isFilled: true } : gap)),
    ...workersFacts(sql, execution, { until: heard.until, delays: recorded.delays, isOver }),
    last_worker_sign: lastWorkerSign(sql, execution.namespace, heard.until),
  };
}

/**
 * Everything that should have arrived from a run by a given moment but is missing.
 * @param before returns the time a given number of seconds before the moment, as ISO 8601
 */
function dueFacts(
  sql: Prepare,
  execution: ExecutionRow,
  recorded: Omit<ReturnType<typeof recordedFacts>, 'read_ms'>,
  { before, isOver, until }: { before: (seconds: number) => string; isOver: boolean; until: number },
) {
  const { execution_id } = execution;
  const next = before(nextStepSeconds);
  const prompt = isPrompt(execution) ? promptFacts(sql, execution, next) : undefined;
  // The messages show which workflow it is: the start of a prompt processing run names its dataset, and only
  // fast processing reports files as ready and creates TF files.
  const isWorkflowKnown =
    execution.workflow_name !== null ||
    execution.tf_files_received + execution.slices_created > 0 ||
    isSaid(sql, execution_id, ['run_imminent', 'stf_ready']);
  const slicing = slicingOf(sql, execution, recorded);
  const unsliced = slicing === 'seen' ? unslicedSamples(sql, execution, recorded, next) : none;
  const timeOf = (time: string, from: string) =>
    unsliced.count === 0 ? undefined : timeAmong(sql, time, from, execution_id);
  return {
    prompt,
    slicing,
    unsliced,
    oldest_unsliced: timeOf('min(created_at)', 'FROM fastmon_files WHERE execution_id = $id AND slice_count = 0'),
    last_slice: timeOf('max(created_at)', slices),
    passed: passedSlices(sql, execution_id, before(passedSeconds(recorded.delays))),
    oldest_waiting: isOver ? undefined : timeAmong(sql, 'min(created_at)', unanswered, execution_id),
    unsent:
      recorded.slices_unsent === 0
        ? none
        : unsentSlices(sql, execution_id, isOver ? Number.MAX_SAFE_INTEGER : until - nextStepSeconds * 1000),
    isWorkflowKnown,
    unready:
      prompt === undefined && isWorkflowKnown
        ? someOf(sql, 'stf_filename', `${unready} AND created_at < $before`, { id: execution_id, before: next })
        : none,
  };
}

/** Why an execution has no slice counts, see `whyUncounted`; undefined if it has them, or its record is damaged. */
export function whySlicesUncounted(sql: Prepare, execution: ExecutionRow) {
  if (withPlan(execution) !== undefined) return undefined;
  if (isPrompt(execution)) return whyUncounted({ slicing: 'never', counts: execution });
  const record = recordOf(sql, execution.execution_id);
  return record && whyUncounted({ slicing: slicingOf(sql, execution, record), counts: execution });
}

/** The same for an execution named by its id; undefined also if it is being removed. */
export function whyUnseen(sql: Prepare, executionId: string) {
  const execution = sql<ExecutionRow>(`${anExecution} WHERE e.execution_id = ?`).get(executionId);
  return execution && whySlicesUncounted(sql, execution);
}

/** The record of a run, with the status last reported over REST, if any; undefined if the record is damaged. */
function recordOf(sql: Prepare, executionId: string) {
  const row = sql<ObservedRow>(
    `SELECT ${heardRunColumns}, told_id, run_id, dialects, first_ms AS first_message, last_ms AS last_message, without_execution,
       results_repeated, results_unmatched, told_status, told_by, told_ms, slices_told, slices_unsent, slices_unheard, read_ms, last_result_ms, last_done_ms
     FROM observed_runs AS o JOIN run_states USING (execution_id) WHERE o.execution_id = ?`,
  ).get(executionId);
  if (row === undefined) return undefined;
  const { told_status, told_by, told_ms, ...record } = row;
  const told =
    told_status === null || told_ms === null
      ? undefined
      : { status: told_status, at: told_ms, by: told_by ?? undefined };
  return { ...record, told };
}

/** The facts that depend only on the store. */
function recordedFacts(sql: Prepare, execution: ExecutionRow) {
  const { execution_id, status, slices_failed } = execution;
  const hasFailed = slices_failed !== 0;
  const record = recordOf(sql, execution_id);
  if (record === undefined) throw recordDamaged(execution_id);
  const delays = timedDelays(sql, execution_id);
  const sizes = sampleSizes(sql, execution_id);
  const { last_result_ms: last, last_done_ms: last_done, ...known } = record;
  return {
    ...known,
    repeated_ids: repeatedResults(sql, execution_id, record),
    delays,
    isBeginHeard: sql('SELECT 1 FROM runs WHERE execution_id = ? AND start_time IS NOT NULL').has(execution_id),
    strangers: strangersIn(sql, execution),
    messages: countAllMessages(sql, execution_id),
    stf_span: status === 'running' ? stfSpan(sql, execution_id) : undefined,
    tf_files_sliced: sizes.files,
    first_slice: last === 0 ? timeAmong(sql, 'min(first_at)', slicedSamples, execution_id) : undefined,
    last_result: last || undefined,
    failed: {
      count: slices_failed,
      ids: hasFailed ? exhaustedSlices(sql, execution_id) : [],
      // Until the end of the run is known, a slice may be sent again.
      isFinal: status !== 'running' && status !== 'unknown',
    },
    // Results may arrive in any order, so the first one received need not be the first that failed.
    first_failure: undefined,
    causes: hasFailed ? failureCauses(sql, execution_id) : [],
    // If the newest result is from a completed slice, as it usually is, there are no failures in a row to
    // count.
    failing: hasFailed && last !== last_done ? observedFailuresInARow(sql, execution_id, last_done) : undefined,
    ...(hasFailed ? failuresByPlace(sql, execution_id) : noPlaces),
    slowest: slowestSlice(sql, execution_id, delays),
    ...serviceFindings(sql, execution_id),
    ramp_up: rampUp(sql, execution_id),
    shrunken: shrunkenSamples(sql, execution_id, sizes),
    broken_keys: brokenKeys(sql, execution_id),
  };
}

/** The ids of the first few results that repeat another result. */
const repeatedResults = (sql: Prepare, executionId: string, { results_repeated }: HeardRecord) =>
  results_repeated === 0
    ? []
    : sql<string>(
        `SELECT ${messageColumns.message_id} FROM message_subjects AS s INDEXED BY message_subjects_repeated CROSS JOIN message_rows USING (seq)
         WHERE s.execution_id = ? AND s.subject = 'result' AND s.stands_seq IS NOT NULL ORDER BY s.seq LIMIT ${named}`,
      ).values(executionId);

function stfSpan(sql: Prepare, executionId: string) {
  const row = sql<{ first: string; last: string; n: number }>(
    'SELECT min(created_at) AS first, max(created_at) AS last, count(*) AS n FROM stf_files WHERE execution_id = ? HAVING n > 1',
  ).get(executionId);
  return row && { first: Date.parse(row.first), last: Date.parse(row.last), n: row.n };
}

/** The earliest or latest time among some rows. @param from the rest of a SELECT: FROM and what follows */
const timeAmong = (sql: Prepare, time: string, from: string, id: string) =>
  millisecondsOf(sql<string | null>(`SELECT ${time} ${from}`).value({ id }));

/**
 * Slices without a result that were sent before a slice whose result arrived by a given time; if that time is
 * `afterAll`, all slices without a result.
 */
function passedSlices(sql: Prepare, executionId: string, answeredBy: string) {
  if (!sql(`SELECT 1 ${unanswered} LIMIT 1`).has({ id: executionId })) return none;
  if (answeredBy === afterAll) return someOf(sql, 'slice_filename', unanswered, { id: executionId });
  const latest = sql<string | null>(
    'SELECT max(created_at) FROM tf_slices WHERE execution_id = ? AND completed_at <= ?',
  ).value(executionId, answeredBy);
  if (latest === null || latest === undefined) return none;
  return someOf(sql, 'slice_filename', `${unanswered} AND created_at < $before`, { id: executionId, before: latest });
}

/** Whether a message about any of these subjects has been received. */
const isSaid = (sql: Prepare, id: string, subjects: readonly string[]) =>
  sql(
    'SELECT 1 FROM message_subjects WHERE execution_id = ? AND subject IN (SELECT value FROM json_each(?)) LIMIT 1',
  ).has(id, JSON.stringify(subjects));
