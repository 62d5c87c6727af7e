import type { Phase, PhaseMessage } from '../../domain/run-phases.ts';
import { bySending, type FactOf, type Said, type SaidFact, standingBy, timeOf } from '../../observed/folding/said.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { isoTime, messageColumns } from '../migrations/message-columns.ts';
import { nameOf, numberOf, typeNumbers } from '../migrations/names.ts';
import { buffered } from '../sqlite/buffered.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { becomePrompt } from './files.ts';
import { foldWith, type ObservedScope, saidColumns, statementOf, type StoredMessage } from './said.ts';

/**
 * The first and last times of an execution's messages so far, in milliseconds since 1970, and the messages'
 * dialects.
 */
interface Extent {
  first: number;
  last: number;
  /** One letter per dialect; letters may repeat. */
  dialects: string;
}

const extents = buffered(noteExtent);

/** Gathers the times of messages, to be written once per transaction. */
export function extend(tx: Transaction, executionId: string, at: number, dialect = '') {
  extents(tx, executionId, ({ first, last, dialects } = { first: at, last: at, dialects: '' }) => ({
    first: Math.min(first, at),
    last: Math.max(last, at),
    dialects: dialects.endsWith(dialect) ? dialects : dialects + dialect,
  }));
}

/**
 * Reopens an execution whose end was not announced, when a message shows that it is still running or that
 * results are still arriving.
 */
function reopen(sql: Prepare, executionId: string) {
  sql(
    `UPDATE workflow_executions AS e SET status = 'running', status_reason = NULL, end_time = NULL
     WHERE execution_id = ? AND (status = 'unknown' OR (status = 'completed'
       AND EXISTS (SELECT 1 FROM run_states AS s WHERE s.execution_id = e.execution_id AND slices_queued > 0)
       AND EXISTS (SELECT 1 FROM observed_runs AS o WHERE o.execution_id = e.execution_id AND coalesce(told_status, 'running') = 'running')))`,
  ).run(executionId);
}

function noteExtent({ sql }: Transaction, id: string, { first, last, dialects }: Extent) {
  const known = sql<string>('SELECT dialects FROM observed_runs WHERE execution_id = ?').value(id);
  if (known === undefined) return;
  reopen(sql, id);
  const all = [...new Set(known + dialects)].toSorted().join('');
  sql(
    'UPDATE observed_runs SET first_ms = min(first_ms, ?), last_ms = max(last_ms, ?), dialects = ? WHERE execution_id = ?',
  ).run(first, last, all, id);
  sql(
    `UPDATE workflow_executions AS e SET start_time = ${isoTime('first_ms')},
       end_time = iif(end_time IS NULL OR told_status IS NOT NULL, end_time, max(end_time, ${isoTime('last_ms')}))
     FROM observed_runs AS o WHERE o.execution_id = e.execution_id AND e.execution_id = ?`,
  ).run(id);
}

const phaseAfter: Readonly<Record<PhaseMessage, Phase>> = {
  run_imminent: 'imminent',
  start_run: 'physics',
  pause_run: 'standby',
  resume_run: 'physics',
  end_run: 'completed',
};

type SaidPhase = SaidFact<FactOf<'phase'>>;

/**
 * The beginning and the end of a run. If several messages report the same beginning or end, the one sent first
 * counts.
 */
function foldPhases(messages: readonly SaidPhase[]) {
  const { stands, repeats } = standingBy(messages, ({ type }) => type);
  return { begin: stands.get('run_imminent') ?? stands.get('start_run'), end: stands.get('end_run'), repeats };
}

/** The message that was sent last determines the phase; after the end of the run, the phase does not change again. */
export function phaseSaid(scope: ObservedScope, said: SaidPhase, earlier: SaidPhase | undefined) {
  const { sql, execution_id } = scope;
  const { begin, end } = foldWith(scope, said, earlier, foldPhases).after;
  const last = end === undefined ? lastPhase(scope) : { type: 'end_run' as const, at: timeOf(end) };
  const enter = sql('UPDATE run_states SET phase = ?, phase_changed_at = ? WHERE execution_id = ?');
  if (last !== undefined) enter.run(phaseAfter[last.type], last.at, execution_id);
  const times = [begin, end].map((one) => (one === undefined ? null : timeOf(one)));
  const update = sql('UPDATE runs SET start_time = ?, end_time = ?, total_stf_files = ? WHERE execution_id = ?');
  update.run(...times, end?.fact.total_stf_files ?? null, execution_id);
  const dataset = begin?.fact.dataset;
  if (dataset !== undefined) datasetSaid(scope, dataset);
}

/** Only prompt processing announces a dataset, whatever the id of the execution suggests. */
function datasetSaid(scope: ObservedScope, dataset: string) {
  scope.sql('UPDATE runs SET dataset_name = ? WHERE execution_id = ?').run(dataset, scope.execution_id);
  becomePrompt(scope);
}

const lastPhase = ({ sql, execution_id }: ObservedScope) =>
  sql<{ type: PhaseMessage; at: string }>(
    `SELECT ${nameOf('type_no')} AS type, ${isoTime('sent_ms')} AS at FROM message_rows INDEXED BY message_rows_landmarks
     WHERE execution_no = ${numberOf('?')} AND ${indexPredicates.landmark} AND type_no IN ${typeNumbers(Object.keys(phaseAfter))} AND effect = 'applied'
     ORDER BY sent_ms DESC, ${messageColumns.message_id} DESC LIMIT 1`,
  ).get(execution_id);

/** Applies a report that the testbed's monitor received over REST about an execution. */
export function executionTold(scope: ObservedScope, { fact }: SaidFact<FactOf<'told_execution'>>) {
  const { parameters, executed_by = null } = fact;
  const update = scope.sql('UPDATE workflow_executions SET params = ?, executed_by = ? WHERE execution_id = ?');
  update.run(JSON.stringify(parameters), executed_by, scope.execution_id);
  statusTold(scope);
}

/**
 * Of several reports that the execution has ended, the status in the last one counts, with the time of the
 * first one. An ended execution does not run again.
 */
export function statusTold(scope: ObservedScope) {
  const statuses = everyStatus(scope);
  const ends = statuses.filter(({ status }) => status !== 'running');
  const last = ends.at(-1) ?? statuses.at(-1);
  if (last === undefined) return;
  const { status, sent_ms, by } = last;
  const end = ends[0]?.sent_ms ?? null;
  for (const update of [
    'UPDATE observed_runs SET told_status = $status, told_ms = $sent_ms, told_by = $by, told_end_ms = $end WHERE execution_id = $execution_id',
    `UPDATE workflow_executions SET status = $status, status_reason = nullif($status, 'running'), end_time = ${isoTime('$end')} WHERE execution_id = $execution_id`,
  ])
    scope.sql(update).run({ status, sent_ms, by, end, execution_id: scope.execution_id });
}

const everyStatus = ({ sql, execution_id }: ObservedScope) =>
  sql<Said & StoredMessage>(
    `SELECT ${saidColumns} FROM message_rows
     WHERE execution_no = ${numberOf('?')} AND type_no IN ${typeNumbers(['execution_registered', 'execution_status'])} AND effect = 'applied'`,
  )
    .all(execution_id)
    .flatMap((row) => {
      const { fact, sender: by = null } = statementOf(row);
      if (fact?.kind === 'told_execution') return [{ ...row, status: 'running' as const, by }];
      return fact?.kind === 'told_status' ? [{ ...row, status: fact.status, by }] : [];
    })
    .toSorted(bySending);
