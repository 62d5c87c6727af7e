import type { Prepare } from './statements.ts';

/**
 * An open write transaction. Only a store can create it, so a function with this parameter runs inside a
 * transaction. Facts read earlier in the transaction still hold, since no other process can write in the
 * meantime.
 */
export interface Transaction {
  readonly sql: Prepare;
  /** Defers `work` until the commit, or until other code reads what `work` writes. */
  readonly beforeReading: (work: () => void) => void;
  /**
   * Runs the deferred work. Call this before reading data whose writing may have been deferred earlier in the
   * transaction.
   */
  readonly settle: () => void;
  /** No other code can create a transaction, since only the store knows this key. */
  readonly [inTransaction]: true;
}

const inTransaction = Symbol('in a transaction');

/** Runs work in an open transaction and returns the work's result. For code that opens transactions. */
export function transactOn<T>(sql: Prepare, work: (tx: Transaction) => T) {
  const due: (() => void)[] = [];
  const settle = () => {
    for (const one of due.splice(0)) one();
  };
  const done = work({ sql, beforeReading: (one) => void due.push(one), settle, [inTransaction]: true });
  settle();
  return done;
}
