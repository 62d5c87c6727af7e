import { messageColumns } from '../migrations/message-columns.ts';
import type { Store } from '../sqlite/store.ts';
import { batch, removeRows } from './prune.ts';

/** Rows that are looked at in one question. */
const lookedAt = 20_000;

interface StrayTable {
  table: string;
  key: string;
  at: string;
  more: string;
  /** As SQL: its execution. */
  execution: string;
}

const tables: readonly StrayTable[] = [
  {
    table: 'message_rows',
    key: 'seq',
    at: messageColumns.recorded_at,
    execution: messageColumns.execution_id,
    more: 'AND (outbox_owner IS NULL OR outbox_sent_at IS NOT NULL)',
  },
  { table: 'app_logs', key: 'log_id', at: 'timestamp', execution: 'execution_id', more: '' },
];

/**
 * Removes messages and log lines that belong to no execution of this store and are older than what is kept. Returns how many.
 * @param before ISO 8601
 */
export async function removeStrays(store: Store, before: string): Promise<number> {
  let removed = 0;
  for (const table of tables) removed += await removeStraysOf(store, table, before);
  return removed;
}

/** Looks outside of the transactions that remove: others write meanwhile, and must not wait. */
async function removeStraysOf(
  store: Store,
  { table, key, at, execution, more }: StrayTable,
  before: string,
): Promise<number> {
  const { sql } = store;
  const stray = `(${execution} IS NULL OR ${execution} NOT IN (SELECT execution_id FROM workflow_executions))`;
  const some = sql<[number, number, string], { key: number }>(
    `SELECT t.${key} AS key FROM ${table} AS t WHERE t.${key} > ? AND t.${key} <= ? AND ${stray} AND ${at} < ? ${more}`,
  );
  const newest = sql<[], { key: number | null }>(`SELECT max(${key}) AS key FROM ${table}`).get()?.key ?? 0;
  let removed = 0;
  for (let after = 0; after < newest; after += lookedAt) {
    const keys = some.all(after, after + lookedAt, before).map((row) => row.key);
    for (let place = 0; place < keys.length; place += batch)
      await store.write((tx) => {
        removeRows(tx, { table, key }, keys.slice(place, place + batch));
      });
    removed += keys.length;
  }
  return removed;
}
