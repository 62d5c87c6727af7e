import { pause } from '../../lib/deadline.ts';
import { storeUnavailable, SwfError } from '../../lib/errors.ts';
import { tried } from '../../lib/tried.ts';
import { type Connection, Database } from './connection.ts';
import { asSwfError } from './sqlite-errors.ts';
import type { Transaction } from './transaction.ts';

/** Another process that wrote within this time is assumed to keep writing. Milliseconds. */
const recently = 1000;

/** The length of a rest in milliseconds. A shorter sleep is not possible. */
const rest = 2;

/**
 * Leaves the store's lock free for a moment if other processes write too. SQLite has no queue: a waiting
 * process tries again and again, and a run at full speed holds the lock most of the time. Returns a function
 * to call after each commit, before the next one.
 * @param commitsApart the number of commits between two rests
 */
export function letOthersWrite(db: Connection, commitsApart: number) {
  // A number that changes with each commit by another connection.
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

/** The interval for checking whether another process has written to the store, in milliseconds. */
const pollMilliseconds = 50;

/** Calls back when another process has written to the store. Returns a function that stops the checks. */
export function pollStore(db: Connection, onChange: () => void) {
  const versionNow = () => db.pragma('data_version', { simple: true });
  let version = versionNow();
  const timer = setInterval(() => {
    // Errors are ignored: if the store is faulty, the next write reports it.
    const now = tried(versionNow) ?? version;
    if (now === version) return;
    version = now;
    onChange();
  }, pollMilliseconds);
  return () => clearInterval(timer);
}

/** How long to retry a write outside SQLite before giving up, in milliseconds. */
export const patienceMilliseconds = 30_000;

/**
 * The shorter limit, used if a write has already waited in vain, or while a user is waiting for the process to
 * end.
 */
export const impatientMilliseconds = 2000;

/** Whether an error, perhaps already wrapped in an `SwfError`, means that another connection has locked the store. */
export function isBusy(error: unknown) {
  const raw = error instanceof SwfError ? error.cause : error;
  return raw instanceof Database.SqliteError && (raw.code.startsWith('SQLITE_BUSY') || raw.code === 'SQLITE_LOCKED');
}

/**
 * Retries while the store is locked. Throws `STORE_UNAVAILABLE` if it stays locked, and every other error as
 * `SwfError`.
 */
export async function tryPatiently<T>(path: string, work: () => T, patience = patienceMilliseconds) {
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
    // Waiting writers must not all retry at the same time.
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
 * After this time, in milliseconds, a transaction accepts no more work, since it blocks other writing
 * processes.
 */
const longEnough = 5;

/**
 * Commits the writes of several parts of this process in one transaction, in the order in which they were
 * requested. No write resolves before the commit. If one throws, the group is rolled back and each write is
 * run again alone, so that only the faulty one fails. (Savepoints would avoid the repetition, but each would
 * cost a copy of the write's pages.) Returns the function that writes.
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

  return <T>(work: (tx: Transaction) => T) =>
    new Promise<T>((resolve, reject) => {
      queue.push({ work, resolve: resolve as (value: unknown) => void, reject });
      if (isFlushing) return;
      isFlushing = true;
      // Let other writes that are ready in this turn of the event loop join the group.
      setImmediate(() => void flush());
    });
}

/** Runs a function in one immediate transaction, retried while another process writes. */
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
