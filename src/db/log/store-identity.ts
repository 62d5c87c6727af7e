import { stringsIn } from '../../lib/read-json.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** A value that the store keeps about itself. */
export const metaOf = (sql: Prepare, key: 'store_id' | 'home' | 'prunes' | 'known') =>
  sql<string>('SELECT value FROM store_meta WHERE key = ?').value(key);

/** The store's own id. The first call creates it. */
export function storeId({ sql }: Transaction) {
  sql(`INSERT INTO store_meta (key, value) VALUES ('store_id', ?) ON CONFLICT DO NOTHING`).run(crypto.randomUUID());
  return knownStoreId(sql) as string;
}

/** The store's own id, for a reader; undefined if the store has none yet. */
export const knownStoreId = (sql: Prepare) => metaOf(sql, 'store_id');

/**
 * The path of the store when it was created. A copy at another path describes data files that are not its
 * own.
 */
export const homeOf = (sql: Prepare) => metaOf(sql, 'home');

/** Records which findings of observed executions are known, as listed in `[observe] known`. */
export function keepKnown({ sql }: Transaction, known: readonly string[]) {
  const keep = `INSERT INTO store_meta (key, value) VALUES ('known', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`;
  sql(keep).run(JSON.stringify(known));
}

export const knownOf = (sql: Prepare) => stringsIn(metaOf(sql, 'known')) ?? [];
