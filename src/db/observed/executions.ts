import { workflowInId } from '../../domain/workflows.ts';
import type { Statement } from '../../observed/reading/fact.ts';
import { nameNumbers } from '../log/numbers.ts';
import { isExecution } from '../log/rows.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { isoTime } from '../migrations/message-columns.ts';
import { numberOf } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** An observed execution, as named in messages. */
export interface ObservedRun {
  execution_id: string;
  namespace: string;
  run_number: number | null;
}

type Names = Pick<Statement, 'namespace' | 'run_id' | 'told_id'>;

/** As SQL: a run's number; NULL if the run's name is not a number. */
const runNumber = `iif(length(run_id) BETWEEN 1 AND 15 AND run_id NOT GLOB '*[^0-9]*', CAST(run_id AS INTEGER), NULL)`;

const columns = `execution_id, namespace, ${runNumber} AS run_number`;

/** As SQL: whether a row's namespace matches; a missing namespace matches any. */
const isMeant = `($namespace IS NULL OR namespace IN ($namespace, ''))`;

/**
 * The execution to which a message belongs: found by run and name, by run alone, or by name alone (the newest
 * one). Undefined while unknown. A missing namespace matches any.
 * @param at when the message was sent, in milliseconds since 1970; a name alone means the newest execution at
 * that time
 */
export function observedRunOf(tx: Transaction, { namespace, run_id, told_id, at }: Names & { at: number }) {
  if (run_id === undefined && told_id === undefined) return undefined;
  // The choice depends on start times, so write pending ones first.
  if (run_id === undefined) tx.settle();
  const isRun = run_id === undefined ? 'TRUE' : 'run_id = $run_id';
  const isNamed = told_id === undefined ? 'TRUE' : 'told_id = $told_id';
  return tx
    .sql<ObservedRun>(
      `SELECT ${columns} FROM observed_runs WHERE ${isRun} AND ${isNamed} AND ${isMeant} ORDER BY first_ms <= $at DESC, first_ms DESC, execution_id LIMIT 1`,
    )
    .get({ namespace: namespace ?? null, run_id, told_id, at });
}

/** The observed execution with this id in the store. */
export const observedRunCalled = (sql: Prepare, executionId: string) =>
  sql<ObservedRun>(`SELECT ${columns} FROM observed_runs WHERE execution_id = ?`).get(executionId);

/**
 * Changes the first execution that a query finds, and returns it.
 * @param rest the rest of the query: WHERE and what follows
 */
const changeFirst = (sql: Prepare, change: string, rest: string, values: object) =>
  sql<ObservedRun>(
    `UPDATE observed_runs SET ${change} WHERE execution_id = (SELECT execution_id FROM observed_runs ${rest} LIMIT 1) RETURNING ${columns}`,
  ).get(values);

/**
 * The execution that a registration belongs to: the one that it created; otherwise the first execution with the
 * same name that began after it and has no registration; otherwise a new one, still without a run.
 * @param at milliseconds since 1970
 */
export function registeredRun(
  tx: Transaction,
  { namespace, run_id = '', told_id, start_time }: Names & { told_id: string; start_time: string },
  at: number,
) {
  tx.settle();
  const known = changeFirst(
    tx.sql,
    'told_start = $start_time',
    `WHERE told_id = $told_id AND ${isMeant} AND (told_start = $start_time OR (told_start = '' AND iif($run_id = '', first_ms >= $at, run_id = $run_id)))
     ORDER BY told_start = $start_time DESC, first_ms`,
    { namespace: namespace ?? null, run_id, told_id, start_time, at },
  );
  const run = known ?? createObservedRun(tx, { namespace, run_id, told_id, told_start: start_time }, at);
  return { run, isNew: known === undefined };
}

/** Assigns a run to the newest registered execution with this name and no run. Returns undefined if there is none. */
export function runOfRegistered(
  tx: Transaction,
  { namespace, run_id, told_id }: Names & { run_id: string },
  at: number,
) {
  tx.settle();
  const run = changeFirst(
    tx.sql,
    'run_id = $run_id',
    `WHERE told_id = $told_id AND run_id = '' AND ${isMeant} AND first_ms <= $at ORDER BY first_ms DESC`,
    { namespace: namespace ?? null, run_id, told_id, at },
  );
  if (run !== undefined)
    tx.sql('UPDATE workflow_executions SET run_number = $run_number WHERE execution_id = $execution_id').run(run);
  return run;
}

/**
 * Creates an execution, with its run and name, when a message names it for the first time.
 * @param at milliseconds since 1970
 */
export function createObservedRun(
  { sql }: Transaction,
  names: Names & { run_id: string; told_id: string; told_start?: string },
  at: number,
) {
  const { namespace = '', run_id, told_id, told_start = '' } = names;
  const execution_id = freeName(sql, told_id, run_id === '' ? told_start : run_id);
  for (const insert of [
    `INSERT INTO observed_runs (execution_id, told_id, namespace, run_id, told_start, first_ms, last_ms)
     VALUES ($execution_id, $told_id, $namespace, $run_id, $told_start, $at, $at)`,
    `INSERT INTO workflow_executions (execution_id, origin, workflow_name, namespace, status, run_number, params, start_time)
     SELECT execution_id, 'observed', $workflow, namespace, 'running', ${runNumber}, '{}', ${isoTime('first_ms')} FROM observed_runs WHERE execution_id = $execution_id`,
    'INSERT INTO runs (execution_id) VALUES ($execution_id)',
    'INSERT INTO run_states (execution_id) VALUES ($execution_id)',
  ])
    sql(insert).run({
      execution_id,
      told_id,
      namespace,
      run_id,
      told_start,
      at,
      workflow: workflowInId(told_id) ?? null,
    });
  return observedRunCalled(sql, execution_id) as ObservedRun;
}

/** The execution's own name or, if that is taken, the name followed by its run or its start time. */
function freeName(sql: Prepare, toldId: string, behind: string) {
  const longer = `${toldId}~${behind}`;
  let name = toldId;
  for (let n = 1; isExecution(sql, name); n += 1) name = n === 1 ? longer : `${longer}~${n}`;
  return name;
}

/** Sets the namespace of an execution that was first reported without one, and of its earlier messages. */
export function nameNamespace({ sql }: Transaction, { execution_id }: ObservedRun, namespace: string) {
  const number = nameNumbers(sql).numberOf(namespace);
  for (const update of [
    `UPDATE message_rows SET namespace_no = $number WHERE execution_no = ${numberOf('$execution_id')} AND namespace_no IS NULL AND headers IS NOT NULL`,
    'UPDATE workflow_executions SET namespace = $namespace WHERE execution_id = $execution_id',
    'UPDATE observed_runs SET namespace = $namespace WHERE execution_id = $execution_id',
  ])
    sql(update).run({ execution_id, namespace, number });
}

/**
 * Recomputes the last message time of an execution after its last message was moved to an earlier time.
 * @param before milliseconds since 1970
 */
export function forgetLast({ sql }: Transaction, executionId: string, before: number) {
  sql(
    `UPDATE observed_runs SET last_ms = (SELECT max(sent_ms) FROM message_rows WHERE execution_no = ${numberOf('$id')} AND ${indexPredicates.exceptLogbook})
     WHERE execution_id = $id AND last_ms = $before`,
  ).run({ id: executionId, before });
}

/**
 * Records the time when all of the monitor's data about a run was read.
 * @param at milliseconds since 1970
 */
export function noteRead({ sql }: Transaction, run: { execution_id: string; run_id: string }, at: number) {
  const update = sql(
    'UPDATE observed_runs SET read_ms = max(coalesce(read_ms, 0), ?) WHERE run_id = ? AND told_id = ?',
  );
  update.run(at, run.run_id, run.execution_id);
}

/** The executions that were last reported as running, under the names that their programs use. */
export const toldRunning = (sql: Prepare) =>
  sql<{ execution_id: string; run_id: string }>(
    `SELECT told_id AS execution_id, run_id FROM observed_runs WHERE told_status = 'running' AND run_id <> '' ORDER BY first_ms`,
  ).all();
