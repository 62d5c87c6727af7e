import type { Statement } from '../../observed/reading/fact.ts';
import { numberOf } from '../migrations/names.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** An observed execution, as messages name it. */
export interface ObservedRun {
  execution_id: string;
  namespace: string;
  run_number: number | null;
}

/** The names by which a message tells its execution. */
export type Names = Pick<Statement, 'namespace' | 'run_id' | 'told_id'>;

const columns = 'execution_id, namespace, run_id';

interface RunRow {
  execution_id: string;
  namespace: string;
  run_id: string;
}

/**
 * The execution that a message belongs to: by its run and its name; by its run alone; by its name alone, the newest. Undefined while nobody has told it.
 * One that names no namespace may be of any.
 */
export function observedRunOf({ sql }: Transaction, { namespace, run_id, told_id }: Names): ObservedRun | undefined {
  const isMeant = `($namespace IS NULL OR namespace IN ($namespace, ''))`;
  const names = { namespace: namespace ?? null, run_id, told_id };
  const find = (conditions: string): ObservedRun | undefined =>
    asRun(
      sql<[typeof names], RunRow>(
        `SELECT ${columns} FROM observed_runs WHERE ${conditions} AND ${isMeant} ORDER BY first_ms DESC, execution_id LIMIT 1`,
      ).get(names),
    );
  if (run_id !== undefined)
    return find(told_id === undefined ? 'run_id = $run_id' : 'run_id = $run_id AND told_id = $told_id');
  return told_id === undefined ? undefined : find('told_id = $told_id');
}

const asRun = (row: RunRow | undefined): ObservedRun | undefined =>
  row === undefined
    ? undefined
    : { execution_id: row.execution_id, namespace: row.namespace, run_number: numberOfRun(row.run_id) };

const numberOfRun = (runId: string): number | null => (/^\d{1,15}$/.test(runId) ? Number(runId) : null);

/** Makes the execution that a message is the first to name: by its run and its name. @param at milliseconds since 1970 */
export function createObservedRun(
  tx: Transaction,
  { namespace = '', run_id, told_id }: Names & { run_id: string; told_id: string },
  at: number,
): ObservedRun {
  const { sql } = tx;
  const execution_id = freeName(tx, told_id, run_id);
  const run_number = numberOfRun(run_id);
  sql(
    `INSERT INTO workflow_executions (execution_id, origin, namespace, status, run_number, params, start_time) VALUES (?, 'observed', ?, 'running', ?, '{}', ?)`,
  ).run(execution_id, namespace, run_number, new Date(at).toISOString());
  sql('INSERT INTO runs (execution_id) VALUES (?)').run(execution_id);
  sql('INSERT INTO run_states (execution_id) VALUES (?)').run(execution_id);
  sql(
    'INSERT INTO observed_runs (execution_id, told_id, namespace, run_id, first_ms, last_ms) VALUES (?, ?, ?, ?, ?, ?)',
  ).run(execution_id, told_id, namespace, run_id, at, at);
  return { execution_id, namespace, run_number };
}

/** Its own name; with its run behind it where another one has that. */
function freeName({ sql }: Transaction, toldId: string, runId: string): string {
  const isTaken = sql<[string]>('SELECT 1 FROM workflow_executions WHERE execution_id = ?');
  const name = (n: number): string => (n === 0 ? toldId : n === 1 ? `${toldId}~${runId}` : `${toldId}~${runId}~${n}`);
  let n = 0;
  while (isTaken.get(name(n)) !== undefined) n += 1;
  return name(n);
}

/** A namespace that is told later than the execution. */
export function nameNamespace({ sql }: Transaction, { execution_id }: ObservedRun, namespace: string): void {
  sql('UPDATE workflow_executions SET namespace = ? WHERE execution_id = ?').run(namespace, execution_id);
  sql('UPDATE observed_runs SET namespace = ? WHERE execution_id = ?').run(namespace, execution_id);
}

/** The times and dialects of messages of an execution that have come. Milliseconds since 1970. */
export interface Extent {
  first: number;
  last: number;
  dialects: ReadonlySet<string>;
}

export function noteExtent({ sql }: Transaction, executionId: string, { first, last, dialects }: Extent): void {
  const row = sql<[string], { first_ms: number; last_ms: number; dialects: string }>(
    'SELECT first_ms, last_ms, dialects FROM observed_runs WHERE execution_id = ?',
  ).get(executionId);
  if (row === undefined) return;
  const all = [...new Set([...row.dialects.split(''), ...dialects])].toSorted().join('');
  const [first_ms, last_ms] = [Math.min(first, row.first_ms), Math.max(last, row.last_ms)];
  if (first_ms === row.first_ms && last_ms === row.last_ms && all === row.dialects) return;
  sql('UPDATE observed_runs SET first_ms = ?, last_ms = ?, dialects = ? WHERE execution_id = ?').run(
    first_ms,
    last_ms,
    all,
    executionId,
  );
  const [start, end] = [new Date(first_ms).toISOString(), new Date(last_ms).toISOString()];
  sql(
    'UPDATE workflow_executions SET start_time = ?, end_time = iif(end_time IS NULL, NULL, max(end_time, ?)) WHERE execution_id = ?',
  ).run(start, end, executionId);
}

/** The last message of an execution may have been said earlier: then another one is the last. @param before milliseconds since 1970 */
export function forgetLast({ sql }: Transaction, executionId: string, before: number): void {
  const last = sql<[string, number], { n: number }>(
    'SELECT 1 AS n FROM observed_runs WHERE execution_id = ? AND last_ms = ?',
  ).get(executionId, before);
  if (last === undefined) return;
  sql(
    `UPDATE observed_runs SET last_ms = (SELECT max(sent_ms) FROM message_rows WHERE execution_no = ${numberOf('?')}) WHERE execution_id = ?`,
  ).run(executionId, executionId);
}
