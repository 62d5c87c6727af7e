import type { Prepare } from './statements.ts';

/**
 * An open write transaction. Only a store makes one, so a function that takes it runs inside a transaction. Facts that were read in the
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

const inTransaction = Symbol('in a transaction');

/** Does work in a transaction that is open. For those who open one. */
export function transactOn(sql: Prepare, work: (tx: Transaction) => void): void {
  const due: (() => void)[] = [];
  const settle = (): void => {
    for (const one of due.splice(0)) one();
  };
  work({ sql, beforeReading: (one) => void due.push(one), settle, [inTransaction]: true });
  settle();
}
