import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs';

import { messageOf, SwfError } from '../../lib/errors.ts';
import type { Connection } from '../sqlite/connection.ts';
import { asSwfError } from '../sqlite/sqlite-errors.ts';

/**
 * Writes the store as it is at this moment into a new file, while others go on writing into the store. The file is compact, has
 * mode 0600, and holds something only when it is whole and on the disk. Throws `STORE_UNAVAILABLE` where it cannot be written.
 */
export function backupStore(db: Connection, target: string): void {
  claim(target);
  const aside = `${target}.${randomUUID().slice(0, 8)}.part`;
  try {
    // SQLite writes into an empty file that is there; so nobody else can read it at any moment.
    closeSync(openSync(aside, 'wx', 0o600));
    // SQLite takes the copy for a writing, which this connection may not do otherwise.
    db.pragma('query_only = OFF');
    db.prepare('VACUUM INTO ?').run(aside);
    const file = openSync(aside, 'r');
    fsyncSync(file);
    closeSync(file);
    renameSync(aside, target);
  } catch (error) {
    for (const path of [aside, `${aside}-journal`, target]) rmSync(path, { force: true });
    throw explained(error, db.name, target);
  }
}

/** Takes the name: no file that is there is replaced, and of two backups at once one is made. */
function claim(target: string): void {
  try {
    closeSync(openSync(target, 'wx', 0o600));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // An empty one is what an interrupted backup has left.
    if (code === 'EEXIST' && isEmptyFile(target)) return;
    const why =
      code === 'EEXIST'
        ? 'there is such a file already; name another, or remove it'
        : `${messageOf(error)}; name another place`;
    throw new SwfError('STORE_UNAVAILABLE', `${target} cannot be written: ${why}`, { cause: error });
  }
}

function isEmptyFile(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && stats.isFile() && stats.size === 0;
}

/** A fault of the store itself is told of the store, not of the copy. */
function explained(error: unknown, source: string, target: string): unknown {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (/^SQLITE_(CORRUPT|NOTADB|BUSY)/.test(code)) return asSwfError(error, source);
  const why =
    code === 'SQLITE_FULL' || code === 'ENOSPC'
      ? 'its disk has no room; make room or name another place'
      : `${messageOf(error)}; name another place`;
  return new SwfError('STORE_UNAVAILABLE', `${target} cannot be written: ${why}`, { cause: error });
}
