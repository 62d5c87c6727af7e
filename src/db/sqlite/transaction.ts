import type { Connection } from './open-store.ts';

const counts = new WeakMap<Connection, number>();

/** To be called at the beginning of each write transaction of a connection. */
export function beginTransaction(db: Connection): void {
  counts.set(db, (counts.get(db) ?? 0) + 1);
}

/**
 * A number that is another one in every write transaction: what was read in the same one is still so, since nobody else can
 * write meanwhile. Undefined on a connection whose transactions are not counted.
 */
export function transactionOf(db: Connection): number | undefined {
  return db.inTransaction ? counts.get(db) : undefined;
}
