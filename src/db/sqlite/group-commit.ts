import type { Transaction } from './transaction.ts';

/** A write that waits for its commit. `work` runs again after a rollback. */
interface Waiting {
  work: (tx: Transaction) => unknown;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

/** A transaction blocks other writing processes, so it takes no more work after this time, in milliseconds. */
const longEnough = 5;

/** Runs a function as one immediate transaction, retried while another process writes. */
export type PatientTransaction = (work: (tx: Transaction) => void) => Promise<void>;

/**
 * Commits the writes of several parts of this process in one transaction, in order. If one throws, the group is rolled back and each write runs
 * again alone, so that only the faulty one fails. (Savepoints would avoid the repetition, but cost each write a copy of its pages.)
 */
export class GroupCommit {
  readonly #transact: PatientTransaction;
  readonly #queue: Waiting[] = [];
  #isFlushing = false;

  constructor(transact: PatientTransaction) {
    this.#transact = transact;
  }

  write<T>(work: (tx: Transaction) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ work, resolve: resolve as (value: unknown) => void, reject });
      if (this.#isFlushing) return;
      this.#isFlushing = true;
      // Other parts that are ready in this turn of the event loop join.
      setImmediate(() => void this.#flush());
    });
  }

  async #flush(): Promise<void> {
    while (this.#queue.length > 0) await this.#commitSome();
    this.#isFlushing = false;
  }

  async #commitSome(): Promise<void> {
    let values: unknown[] = [];
    let begun = 0;
    try {
      await this.#transact((tx) => {
        values = [];
        begun = 0;
        const until = performance.now() + longEnough;
        for (const { work } of this.#queue) {
          begun += 1;
          values.push(work(tx));
          if (performance.now() > until) break;
        }
      });
    } catch (error) {
      // If no transaction can begin, all waiting writes fail alike.
      if (begun === 0) for (const { reject } of this.#queue.splice(0)) reject(error);
      for (const one of this.#queue.splice(0, begun)) await this.#commitAlone(one);
      return;
    }
    for (const [index, { resolve }] of this.#queue.splice(0, begun).entries()) resolve(values[index]);
  }

  async #commitAlone({ work, resolve, reject }: Waiting): Promise<void> {
    try {
      let value: unknown;
      await this.#transact((tx) => {
        value = work(tx);
      });
      resolve(value);
    } catch (error) {
      reject(error);
    }
  }
}
