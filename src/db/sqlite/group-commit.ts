/** A write that waits for its commit. `work` may be called again after a transaction that was rolled back. */
interface Waiting {
  work: () => unknown;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

/** A transaction keeps other processes from writing, so it takes no more work after this time, in milliseconds. */
const longEnough = 5;

/** Runs a function as one immediate transaction, tried again while another process writes. */
export type PatientTransaction = (work: () => void) => Promise<void>;

/**
 * Commits what several parts of this process write at the same time in one transaction, in the order of asking. Nobody hears of
 * a success before the commit. Where one of them throws, nothing of the group counts and each is done again alone: so it hears
 * its own error and the others are not touched. (Savepoints would spare the repetition and cost each write a copy of its pages.)
 */
export function createGroupCommit(transact: PatientTransaction) {
  const queue: Waiting[] = [];
  let isFlushing = false;

  const commitAlone = async ({ work, resolve, reject }: Waiting): Promise<void> => {
    try {
      let value: unknown;
      await transact(() => {
        value = work();
      });
      resolve(value);
    } catch (error) {
      reject(error);
    }
  };

  /** Commits the first writes of the queue together. */
  const commitSome = async (): Promise<void> => {
    let values: unknown[] = [];
    let begun = 0;
    try {
      await transact(() => {
        values = [];
        begun = 0;
        const until = performance.now() + longEnough;
        for (const { work } of queue) {
          begun += 1;
          values.push(work());
          if (performance.now() > until) break;
        }
      });
    } catch (error) {
      // A store that lets nobody begin fails all who wait alike.
      if (begun === 0) for (const { reject } of queue.splice(0)) reject(error);
      for (const one of queue.splice(0, begun)) await commitAlone(one);
      return;
    }
    for (const [index, { resolve }] of queue.splice(0, begun).entries()) resolve(values[index]);
  };

  const flush = async (): Promise<void> => {
    while (queue.length > 0) await commitSome();
    isFlushing = false;
  };

  return function write<T>(work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      queue.push({ work, resolve: resolve as (value: unknown) => void, reject });
      if (isFlushing) return;
      isFlushing = true;
      // Whoever else is ready in this turn joins.
      setImmediate(() => void flush());
    });
  };
}
