import { pause } from '../../lib/deadline.ts';
import { storeUnavailable, SwfError } from '../../lib/errors.ts';
import { Database } from './database.ts';
import { asSwfError } from './sqlite-errors.ts';

/** How long to retry a write, outside SQLite, before giving up, in milliseconds. */
export const patienceMilliseconds = 30_000;

/** The same if somebody waits for the end, or if a write has already waited in vain. */
export const impatientMilliseconds = 2000;

/** Whether another connection has the store locked, even if the error is already a `SwfError`. */
export function isBusy(error: unknown): boolean {
  const raw = error instanceof SwfError ? error.cause : error;
  return raw instanceof Database.SqliteError && (raw.code.startsWith('SQLITE_BUSY') || raw.code === 'SQLITE_LOCKED');
}

/** Retries while the store is locked. Throws `STORE_UNAVAILABLE` if it stays locked, and every other error as `SwfError`. */
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
