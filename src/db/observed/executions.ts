import type { Statement } from '../../observed/reading/fact.ts';
import { nameNumbers } from '../log/numbers.ts';
import { isExecution } from '../log/rows.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { numberOf } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** An observed execution, as messages name it. */
export interface ObservedRun {
  execution_id: string;
  namespace: string;
  run_number: number | null;
}

/** The names by which a message identifies its execution. */
type Names = Pick<Statement, 'namespace' | 'run_id' | 'told_id'>;

const columns = 'execution_id, namespace, run_id';

/** As SQL: a missing namespace matches any. */
const isMeant = `($namespace IS NULL OR namespace IN ($namespace, ''))`;

type RunRow = Pick<ObservedRun, 'execution_id' | 'namespace'> & { run_id: string };

/**
 * The execution that a message belongs to: by its run and name; by its run alone; by its name alone, the newest. Undefined while unknown. A missing
 * namespace matches any.
 * @param at when the message was sent, in milliseconds since 1970: a name alone means the newest execution at that time
 */
export function observedRunOf(
  tx: Transaction,
  { namespace, run_id, told_id, at }: Names & { at: number },
): ObservedRun | undefined {
  const { sql } = tx;
  if (run_id === undefined && told_id === undefined) return undefined;
  // The start times decide, so settle them.
  if (run_id === undefined) tx.settle();
  const names = { namespace: namespace ?? null, run_id, told_id, at };
  const isRun = run_id === undefined ? 'TRUE' : 'run_id = $run_id';
  const isNamed = told_id === undefined ? 'TRUE' : 'told_id = $told_id';
  const row = sql<[typeof names], RunRow>(
    `SELECT ${columns} FROM observed_runs WHERE ${isRun} AND ${isNamed} AND ${isMeant} ORDER BY first_ms <= $at DESC, first_ms DESC, execution_id LIMIT 1`,
  ).get(names);
  return asRun(row);
}

/** The observed execution with an id of this store. */
export function observedRunCalled({ sql }: Transaction, executionId: string | null): ObservedRun | undefined {
  if (executionId === null) return undefined;
  return asRun(sql<[string], RunRow>(`SELECT ${columns} FROM observed_runs WHERE execution_id = ?`).get(executionId));
}

const asRun = (row: RunRow | undefined): ObservedRun | undefined =>
  row && { execution_id: row.execution_id, namespace: row.namespace, run_number: numberOfRun(row.run_id) };

const numberOfRun = (runId: string): number | null => (/^\d{1,15}$/.test(runId) ? Number(runId) : null);

/**
 * The execution of a registration: the one it made; else the first of its name that began after it and has no registration; else a new one, still
 * without a run.
 * @param at milliseconds since 1970
 */
export function registeredRun(
  tx: Transaction,
  { namespace, run_id = '', told_id, start_time }: Names & { told_id: string; start_time: string },
  at: number,
): { run: ObservedRun; isNew: boolean } {
  const { sql } = tx;
  tx.settle();
  const names = { namespace: namespace ?? null, run_id, told_id, start_time, at };
  const known = sql<[typeof names], RunRow & { told_start: string }>(
    `SELECT ${columns}, told_start FROM observed_runs
     WHERE told_id = $told_id AND ${isMeant} AND (told_start = $start_time OR (told_start = '' AND iif($run_id = '', first_ms >= $at, run_id = $run_id)))
     ORDER BY told_start = $start_time DESC, first_ms LIMIT 1`,
  ).get(names);
  if (known === undefined)
    return { run: createObservedRun(tx, { namespace, run_id, told_id, told_start: start_time }, at), isNew: true };
  if (known.told_start === '')
    sql('UPDATE observed_runs SET told_start = ? WHERE execution_id = ?').run(start_time, known.execution_id);
  return { run: asRun(known) as ObservedRun, isNew: false };
}

/** Gives the newest registered execution of a name its run. Undefined if each has one. */
export function runOfRegistered(
  tx: Transaction,
  { namespace, run_id, told_id }: Names & { run_id: string },
  at: number,
): ObservedRun | undefined {
  tx.settle();
  const { sql } = tx;
  const names = { namespace: namespace ?? null, told_id, at };
  const registered = sql<[typeof names], RunRow>(
    `SELECT ${columns} FROM observed_runs WHERE told_id = $told_id AND run_id = '' AND ${isMeant} AND first_ms <= $at ORDER BY first_ms DESC LIMIT 1`,
  ).get(names);
  if (registered === undefined) return undefined;
  const { execution_id } = registered;
  sql('UPDATE observed_runs SET run_id = ? WHERE execution_id = ?').run(run_id, execution_id);
  sql('UPDATE workflow_executions SET run_number = ? WHERE execution_id = ?').run(numberOfRun(run_id), execution_id);
  return asRun({ ...registered, run_id });
}

/** Creates the execution that a message is the first to name, by its run and name. @param at milliseconds since 1970 */
export function createObservedRun(
  { sql }: Transaction,
  names: Names & { run_id: string; told_id: string; told_start?: string },
  at: number,
): ObservedRun {
  const { namespace = '', run_id, told_id, told_start = '' } = names;
  const execution_id = freeName(sql, told_id, run_id === '' ? told_start : run_id);
  const run_number = numberOfRun(run_id);
  sql(
    `INSERT INTO workflow_executions (execution_id, origin, namespace, status, run_number, params, start_time) VALUES (?, 'observed', ?, 'running', ?, '{}', ?)`,
  ).run(execution_id, namespace, run_number, new Date(at).toISOString());
  sql('INSERT INTO runs (execution_id) VALUES (?)').run(execution_id);
  sql('INSERT INTO run_states (execution_id) VALUES (?)').run(execution_id);
  sql(
    'INSERT INTO observed_runs (execution_id, told_id, namespace, run_id, told_start, first_ms, last_ms) VALUES (?, ?, ?, ?, ?, ?, ?)',
  ).run(execution_id, told_id, namespace, run_id, told_start, at, at);
  return { execution_id, namespace, run_number };
}

/** Its own name; if taken, followed by its run or its start time. */
function freeName(sql: Prepare, toldId: string, behind: string): string {
  const name = (n: number): string => (n === 0 ? toldId : n === 1 ? `${toldId}~${behind}` : `${toldId}~${behind}~${n}`);
  let n = 0;
  while (isExecution(sql, name(n))) n += 1;
  return name(n);
}

/** Sets a namespace that is told later than the execution, for earlier messages too. */
export function nameNamespace({ sql }: Transaction, { execution_id }: ObservedRun, namespace: string): void {
  sql(
    `UPDATE message_rows SET namespace_no = ? WHERE execution_no = ${numberOf('?')} AND namespace_no IS NULL AND headers IS NOT NULL`,
  ).run(nameNumbers(sql).numberOf(namespace), execution_id);
  sql('UPDATE workflow_executions SET namespace = ? WHERE execution_id = ?').run(namespace, execution_id);
  sql('UPDATE observed_runs SET namespace = ? WHERE execution_id = ?').run(namespace, execution_id);
}

/** Recomputes the last message time of an execution if its last message turned out earlier. @param before milliseconds since 1970 */
export function forgetLast({ sql }: Transaction, executionId: string, before: number): void {
  sql(
    `UPDATE observed_runs SET last_ms = (SELECT max(sent_ms) FROM message_rows WHERE execution_no = ${numberOf('$id')} AND ${indexPredicates.exceptLogbook})
     WHERE execution_id = $id AND last_ms = $before`,
  ).run({ id: executionId, before });
}

/** Notes that the monitor was asked for everything it had of a run. @param at milliseconds since 1970 */
export function noteRead({ sql }: Transaction, run: { execution_id: string; run_id: string }, at: number): void {
  const update = sql(
    'UPDATE observed_runs SET read_ms = max(coalesce(read_ms, 0), ?) WHERE run_id = ? AND told_id = ?',
  );
  update.run(at, run.run_id, run.execution_id);
}

/** The executions last told to be running, by their programs' names for them. */
export const toldRunning = (sql: Prepare): { execution_id: string; run_id: string }[] =>
  sql<[], { execution_id: string; run_id: string }>(
    `SELECT told_id AS execution_id, run_id FROM observed_runs WHERE told_status = 'running' AND run_id <> '' ORDER BY first_ms`,
  ).all();
