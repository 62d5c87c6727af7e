import type { Transaction } from './transaction.ts';

/** A write that waits for its commit. `work` runs again after a rollback. */
interface Waiting {
  work: (tx: Transaction) => unknown;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

/** A transaction blocks other writing processes, so it takes no more work after this time, in milliseconds. */
const longEnough = 5;

/**
 * Commits the writes of several parts of this process in one transaction, in the order of the requests. No write resolves before the commit. If
 * one throws, the group is rolled back and each write runs again alone, so that only the faulty one fails. (Savepoints would avoid the repetition,
 * but cost each write a copy of its pages.) Returns the function that writes.
 */
export function createGroupCommit(transact: PatientTransaction) {
  const queue: Waiting[] = [];
  let isFlushing = false;

  async function flush(): Promise<void> {
    while (queue.length > 0) await commitSome();
    isFlushing = false;
  }

  async function commitSome(): Promise<void> {
    let values: unknown[] = [];
    let begun = 0;
    try {
      await transact((tx) => {
        values = [];
        begun = 0;
        const until = performance.now() + longEnough;
        for (const { work } of queue) {
          begun += 1;
          values.push(work(tx));
          if (performance.now() > until) break;
        }
      });
    } catch (error) {
      // If no transaction can begin, all waiting writes fail alike.
      if (begun === 0) for (const { reject } of queue.splice(0)) reject(error);
      for (const one of queue.splice(0, begun)) await commitAlone(transact, one);
      return;
    }
    for (const [index, { resolve }] of queue.splice(0, begun).entries()) resolve(values[index]);
  }

  return <T>(work: (tx: Transaction) => T): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      queue.push({ work, resolve: resolve as (value: unknown) => void, reject });
      if (isFlushing) return;
      isFlushing = true;
      // Other parts that are ready in this turn of the event loop join.
      setImmediate(() => void flush());
    });
}

/** Runs a function as one immediate transaction, retried while another process writes. */
type PatientTransaction = (work: (tx: Transaction) => void) => Promise<void>;

async function commitAlone(transact: PatientTransaction, { work, resolve, reject }: Waiting): Promise<void> {
  try {
    let value: unknown;
    await transact((tx) => {
      value = work(tx);
    });
    resolve(value);
  } catch (error) {
    reject(error);
  }
}
