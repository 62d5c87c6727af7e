import { type Group, createGroups, type Groups } from '../../domain/groups.ts';
import type { Steps } from '../../lib/steps.ts';
import { workerTest } from '../lists/workers.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { HistoryOf } from '../timeline/attempt-history.ts';
import { addAttempts, isPart, type OfExecution } from './attempt-groups.ts';
import type { SummaryQuestion } from './question.ts';
import { addRows } from './row-groups.ts';

/** How long after the end of their execution late results may come: an hour, in milliseconds. */
const latest = 3_600_000;

/** The groups of a question. Take each step in a snapshot of the store. */
export function* summarize(sql: Prepare, historyOf: HistoryOf, question: SummaryQuestion): Steps<Group[]> {
  const groups = createGroups();
  const { what } = question;
  if (what === 'slices') yield* addSlices(groups, sql, historyOf, question);
  else yield* addRows(groups, sql, { ...question, what });
  return groups.all(question.keys, question.keys.length === 1 && !(what === 'slices' && isPart(question)));
}

function* addSlices(groups: Groups, sql: Prepare, historyOf: HistoryOf, question: SummaryQuestion): Steps<void> {
  const { assigned_worker } = question;
  const isWorker = assigned_worker === undefined ? () => true : workerTest(sql, assigned_worker);
  for (const execution of executionsOf(sql, question)) {
    const columns = yield* historyOf(execution.execution_id).follow();
    yield* addAttempts(groups, { columns, of: execution, isWorker }, question);
    yield;
  }
}

/** The executions whose slices may fit, oldest first. */
function executionsOf(sql: Prepare, question: SummaryQuestion): readonly OfExecution[] {
  const { execution_id, namespace, start_time, end_time } = question;
  const lived = start_time === undefined ? null : new Date(Date.parse(start_time) - latest).toISOString();
  const asked = [execution_id, namespace, end_time].map((value) => value ?? null);
  return sql<unknown[], OfExecution>(
    `SELECT execution_id, namespace FROM workflow_executions
     WHERE coalesce(execution_id = ?, 1) AND coalesce(namespace = ?, 1) AND coalesce(start_time <= ?, 1)
       AND coalesce(coalesce(end_time, '9999') >= ?, 1) ORDER BY seq`,
  ).all(...asked, lived);
}
