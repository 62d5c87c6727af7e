import type { Prepare } from './statements.ts';

/**
 * An open write transaction. Only a store can create it, so a function with this parameter runs inside a
 * transaction. Facts read in the same transaction still hold, since no other process can write meanwhile.
 */
export interface Transaction {
  readonly sql: Prepare;
  /** Defers `work` until the commit, or until what it writes is read. */
  readonly beforeReading: (work: () => void) => void;
  /**
   * Runs the deferred work. Call it before reading what earlier parts of the transaction may have gathered.
   */
  readonly settle: () => void;
  /** No other code can create a transaction: only the store knows this key. */
  readonly [inTransaction]: true;
}

const inTransaction = Symbol('in a transaction');

/** Runs work in an open transaction, and returns its result. For code that opens transactions. */
export function transactOn<T>(sql: Prepare, work: (tx: Transaction) => T): T {
  const due: (() => void)[] = [];
  const settle = () => {
    for (const one of due.splice(0)) one();
  };
  const done = work({ sql, beforeReading: (one) => void due.push(one), settle, [inTransaction]: true });
  settle();
  return done;
}
