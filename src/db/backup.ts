import { chmodSync, closeSync, fsyncSync, linkSync, openSync, rmSync } from 'node:fs';

import { messageOf, SwfError } from '../errors.ts';
import type { Connection } from './store.ts';

/**
 * Writes the store as it is at this moment into a new file, while others go on writing into the store. The file is compact, has
 * mode 0600, and gets its name when it is whole and on the disk. Throws `STORE_UNAVAILABLE` where it cannot be written.
 */
export function backupStore(db: Connection, target: string): void {
  const aside = `${target}.part`;
  try {
    // SQLite writes into an empty file that is there; so nobody else can read it at any moment.
    closeSync(openSync(aside, 'wx', 0o600));
    // SQLite takes the copy for a writing, which this connection may not do otherwise.
    db.pragma('query_only = OFF');
    db.prepare('VACUUM INTO ?').run(aside);
    chmodSync(aside, 0o600);
    const file = openSync(aside, 'r');
    fsyncSync(file);
    closeSync(file);
    // Unlike a renaming this does not replace what is there.
    linkSync(aside, target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const isOurs = code !== 'EEXIST' || !messageOf(error).includes('open');
    if (isOurs) rmSync(aside, { force: true });
    throw new SwfError('STORE_UNAVAILABLE', `${target} cannot be written: ${why(code, aside, error)}`, {
      cause: error,
    });
  }
  rmSync(aside);
}

function why(code: string | undefined, aside: string, error: unknown): string {
  if (code === 'EEXIST' && messageOf(error).includes('open'))
    return `another backup writes ${aside}, or was interrupted; remove that file if none does`;
  if (code === 'EEXIST') return 'there is such a file already; name another, or remove it';
  if (code === 'SQLITE_FULL' || code === 'ENOSPC') return 'its disk has no room; make room or name another place';
  return `${messageOf(error)}; name another place`;
}
