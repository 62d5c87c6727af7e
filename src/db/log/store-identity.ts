import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** The store's own id. The first call makes it. */
export function storeId({ sql }: Transaction): string {
  sql(`INSERT INTO store_meta (key, value) VALUES ('store_id', ?) ON CONFLICT DO NOTHING`).run(crypto.randomUUID());
  const row = sql<[], { value: string }>(`SELECT value FROM store_meta WHERE key = 'store_id'`).get();
  return (row as { value: string }).value;
}

/** The store's own id, for a reader; undefined if it has none yet. */
export const knownStoreId = (sql: Prepare): string | undefined =>
  sql<[], { value: string }>(`SELECT value FROM store_meta WHERE key = 'store_id'`).get()?.value;

/** The store's path when it was made. A copy at another path describes data files that are not its own. */
export const homeOf = (sql: Prepare): string | undefined =>
  sql<[], { value: string }>(`SELECT value FROM store_meta WHERE key = 'home'`).get()?.value;
