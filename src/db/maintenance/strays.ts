import { indexPredicates } from '../migrations/index-predicates.ts';
import { messageColumns } from '../migrations/message-columns.ts';
import type { Store } from '../opening/store.ts';
import { batch, removeRows } from './prune.ts';

interface StrayTable {
  table: string;
  key: string;
  /** As SQL: when a row was recorded. */
  at: string;
  /** The indexed column that contains the row's execution. */
  execution: string;
  /** As SQL: the values of the `execution` column that name no execution in the store. */
  strayValues: string;
  more: string;
}

const tables: readonly StrayTable[] = [
  {
    table: 'message_rows',
    key: 'seq',
    at: messageColumns.recorded_at,
    execution: 'execution_no',
    strayValues: `SELECT name_no AS v FROM names WHERE name NOT IN (SELECT execution_id FROM workflow_executions)
      AND EXISTS (SELECT 1 FROM message_rows INDEXED BY message_rows_execution WHERE execution_no = name_no)`,
    more: `AND NOT (${indexPredicates.unsent})`,
  },
  {
    table: 'app_logs',
    key: 'log_id',
    at: 'timestamp',
    execution: 'execution_id',
    strayValues: `WITH RECURSIVE d (v) AS (
        SELECT min(execution_id) FROM app_logs UNION ALL
        SELECT (SELECT min(execution_id) FROM app_logs WHERE execution_id > v) FROM d WHERE v IS NOT NULL)
      SELECT v FROM d WHERE v NOT IN (SELECT execution_id FROM workflow_executions)`,
    more: '',
  },
];

/**
 * Removes messages and log lines that belong to no execution in this store and are older than a given time.
 * Returns their number.
 * @param before ISO 8601
 */
export async function removeStrays(store: Store, before: string) {
  let removed = 0;
  for (const table of tables)
    for (const execution of [null, ...store.sql<string | number>(table.strayValues).values()])
      removed += await removeStraysOf(store, table, execution, before);
  return removed;
}

/** Searches outside the transactions that remove rows, so that other writers need not wait. */
async function removeStraysOf(store: Store, stray: StrayTable, of: string | number | null, before: string) {
  const { table, key, at, execution, more } = stray;
  const some = store.sql<number>(
    `SELECT ${key} FROM ${table} WHERE ${key} > ? AND ${execution} IS ? AND ${at} < ? ${more} ORDER BY ${key} LIMIT ${batch}`,
  );
  let removed = 0;
  for (let after = 0; ;) {
    const keys = some.values(after, of, before);
    if (keys.length === 0) return removed;
    await store.write((tx) => removeRows(tx, { table, key }, keys));
    removed += keys.length;
    after = keys.at(-1) as number;
  }
}
