import { pause } from '../../lib/deadline.ts';
import { SwfError } from '../../lib/errors.ts';
import { Database } from './database.ts';
import { asSwfError } from './sqlite-errors.ts';

/** How long a write is tried again, from outside SQLite, before it is given up, in milliseconds. */
export const patienceMilliseconds = 30_000;

/** The same where somebody waits for the end, or a write has waited in vain already. */
export const impatientMilliseconds = 2000;

/** Whether another connection has the store locked, also where the error has been put into our own words already. */
export function isBusy(error: unknown): boolean {
  const raw = error instanceof SwfError ? error.cause : error;
  return raw instanceof Database.SqliteError && (raw.code.startsWith('SQLITE_BUSY') || raw.code === 'SQLITE_LOCKED');
}

/** Tries again while the store is locked. Throws `STORE_UNAVAILABLE` when it stays so, and every other error as `SwfError`. */
export async function tryPatiently<T>(path: string, work: () => T, patience = patienceMilliseconds): Promise<T> {
  const deadline = performance.now() + patience;
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error)) throw asSwfError(error, path);
      if (performance.now() > deadline) {
        throw new SwfError(
          'STORE_UNAVAILABLE',
          `the store ${path} has been locked by another program for ${patience / 1000} s; end that program and try again`,
          { cause: error },
        );
      }
    }
    // Several writers that wait must not all come back at once.
    await pause(2 + Math.random() * 10);
  }
}
