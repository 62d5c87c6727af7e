import type { Prepare } from './statements.ts';

/**
 * An open write transaction. Only `Store.write` makes one, so a function that takes it runs inside a transaction. Facts that were read in the
 * same transaction still hold, since nobody else can write meanwhile.
 */
export interface Transaction {
  readonly sql: Prepare;
  /** Nobody else can make one: the key is known to the store alone. */
  readonly [inTransaction]: true;
}

/** For `open-store.ts` alone. */
export const inTransaction = Symbol('in a transaction');
