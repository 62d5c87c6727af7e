import { pause } from '../../lib/deadline.ts';
import { storeUnavailable, SwfError } from '../../lib/errors.ts';
import { tried } from '../../lib/tried.ts';
import { type Connection, Database } from './connection.ts';
import { asSwfError } from './sqlite-errors.ts';
import type { Transaction } from './transaction.ts';

/** Another process that wrote within this time is assumed to keep writing, in milliseconds. */
const recently = 1000;

/** In milliseconds. A shorter sleep is not possible. */
const rest = 2;

/**
 * Leaves the store's lock free for a moment if other processes write too. SQLite has no queue: a waiting
 * process tries again and again, and a run at full speed holds the lock most of the time. Returns a function
 * to call after each commit, before the next one.
 * @param commitsApart commits between two rests
 */
export function letOthersWrite(db: Connection, commitsApart: number): () => Promise<void> {
  // A number that changes with each commit of another connection.
  const version = db.prepare<[], number>('PRAGMA data_version').pluck();
  let known: number | undefined;
  let until = 0;
  let commits = 0;
  return async () => {
    commits += 1;
    if (commits % commitsApart !== 0) return;
    const before = known;
    known = version.get() ?? 0;
    if (before !== undefined && known !== before) until = performance.now() + recently;
    if (performance.now() < until) await pause(rest);
  };
}

/** How often to check whether another process has written to the store, in milliseconds. */
const pollMilliseconds = 50;

/** Calls back when another process has written to the store. Returns a function that stops it. */
export function pollStore(db: Connection, onChange: () => void): () => void {
  const versionNow = () => db.pragma('data_version', { simple: true });
  let version = versionNow();
  const timer = setInterval(() => {
    // A faulty store is reported by the next write.
    const now = tried(versionNow) ?? version;
    if (now === version) return;
    version = now;
    onChange();
  }, pollMilliseconds);
  return () => clearInterval(timer);
}

/** How long to retry a write, outside SQLite, before giving up, in milliseconds. */
export const patienceMilliseconds = 30_000;

/** The same if a user waits for the end, or if a write has already waited without success. */
export const impatientMilliseconds = 2000;

/** Whether another connection has the store locked, even if the error is already a `SwfError`. */
export function isBusy(error: unknown): boolean {
  const raw = error instanceof SwfError ? error.cause : error;
  return raw instanceof Database.SqliteError && (raw.code.startsWith('SQLITE_BUSY') || raw.code === 'SQLITE_LOCKED');
}

/**
 * Retries while the store is locked. Throws `STORE_UNAVAILABLE` if it stays locked, and every other error as
 * `SwfError`.
 */
export async function tryPatiently<T>(path: string, work: () => T, patience = patienceMilliseconds): Promise<T> {
  const deadline = performance.now() + patience;
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error)) throw asSwfError(error, path);
      if (performance.now() > deadline)
        throw storeUnavailable(
          `the store ${path} has been locked by another program for ${patience / 1000} s; end that program and try again`,
          { cause: error },
        );
    }
    // Waiting writers must not all retry at once.
    await pause(2 + Math.random() * 10);
  }
}

/** A write that waits for its commit. `work` runs again after a rollback. */
interface Waiting {
  work: (tx: Transaction) => unknown;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

/**
 * A transaction blocks other writing processes, so it accepts no more work after this time, in milliseconds.
 */
const longEnough = 5;

/**
 * Commits the writes of several parts of this process in one transaction, in the order of the requests. No
 * write resolves before the commit. If one throws, the group is rolled back and each write runs again alone,
 * so that only the faulty one fails. (Savepoints would avoid the repetition, but cost each write a copy of
 * its pages.) Returns the function that writes.
 */
export function createGroupCommit(transact: PatientTransaction) {
  const queue: Waiting[] = [];
  let isFlushing = false;

  async function flush() {
    while (queue.length > 0) await commitSome();
    isFlushing = false;
  }

  async function commitSome() {
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
      // If no transaction can begin, all waiting writes fail.
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

async function commitAlone(transact: PatientTransaction, { work, resolve, reject }: Waiting) {
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
