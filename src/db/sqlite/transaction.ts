import type { Prepare } from './statements.ts';

/**
 * An open write transaction. Only `Store.write` makes one, so a function that takes it runs inside a transaction. Facts that were read in the
 * same transaction still hold, since nobody else can write meanwhile.
 */
export interface Transaction {
  readonly sql: Prepare;
  /** Has `work` called before the commit, and before anybody reads what it writes. */
  readonly beforeReading: (work: () => void) => void;
  /** Calls what was to be called. For those who read within a transaction what earlier parts of it may have gathered. */
  readonly settle: () => void;
  /** Nobody else can make one: the key is known to the store alone. */
  readonly [inTransaction]: true;
}

/** For `open-store.ts` alone. */
export const inTransaction = Symbol('in a transaction');
