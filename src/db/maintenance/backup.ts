import { closeSync, fsyncSync, linkSync, openSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { messageOf, storeUnavailable } from '../../lib/errors.ts';
import { namesIn } from '../../lib/file-system.ts';
import { currentProcess, isAlive } from '../../lib/process-identity.ts';
import { sha256 } from '../../lib/sha256.ts';
import { removeIfThere } from '../../lib/write-new-file.ts';
import type { Connection } from '../sqlite/connection.ts';
import { asSwfError } from '../sqlite/sqlite-errors.ts';
import { fileAt } from '../sqlite/store-file.ts';

/**
 * Writes the current state of the store into a new file, while others keep writing to the store. The file is
 * compact, has mode 0600, and gets its name only when it is complete and on disk; it never replaces a file.
 * Throws `STORE_UNAVAILABLE` if it cannot be written.
 */
export function backupStore(db: Connection, target: string) {
  // Check before the work, so that no caller waits for nothing.
  if (fileAt(target) !== undefined) throw isThere(target);
  removeLeftovers(target);
  const aside = `${target}.${markOf(currentProcess())}.part`;
  try {
    // SQLite writes into an existing empty file, so no other user can read it at any moment.
    closeSync(openSync(aside, 'wx', 0o600));
    // SQLite treats the copy as a write, which this connection may not do otherwise.
    db.pragma('query_only = OFF');
    db.prepare('VACUUM INTO ?').run(aside);
    const file = openSync(aside, 'r');
    fsyncSync(file);
    closeSync(file);
    // If two backups share a name, one gets it: a rename would replace the other's file.
    linkSync(aside, target);
  } catch (error) {
    throw explained(error, db.name, target);
  } finally {
    for (const path of [aside, `${aside}-journal`]) removeIfThere(path);
  }
}

/** Identifies a process in a file name: its pid, its start, and where these are valid. */
function markOf({ pid, pid_started }: { pid: number; pid_started: string }) {
  const [started = '', ...where] = pid_started.split(' ');
  return `${pid}-${started}-${sha256().update(where.join(' ')).digest('hex').slice(0, 8)}`;
}

/** Removes the leftovers of killed backups to this name. */
function removeLeftovers(target: string) {
  const folder = dirname(target);
  for (const name of namesIn(folder)) {
    if (!name.startsWith(`${basename(target)}.`)) continue;
    const [, pid, started = '', where] = /\.(\d+)-(\d*)-([0-9a-f]{8})\.part(?:-journal)?$/.exec(name) ?? [];
    if (pid === undefined) continue;
    const path = join(folder, name);
    if (!isBeingWritten(path, { pid: Number(pid), started, where })) removeIfThere(path);
  }
}

/** No backup takes longer. Milliseconds. */
const longest = 86_400_000;

/**
 * Whether the process that began a file may still write it. A process of another container or an earlier boot
 * is assumed to for a day.
 */
function isBeingWritten(
  path: string,
  { pid, started, where }: { pid: number; started: string; where: string | undefined },
) {
  const own = currentProcess();
  if (!markOf(own).endsWith(`-${where}`))
    return Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) < longest;
  const [, ...here] = own.pid_started.split(' ');
  return isAlive({ ...own, pid, pid_started: [started, ...here].join(' ') }) !== false;
}

const isThere = (target: string, cause?: unknown) =>
  storeUnavailable(`${target} cannot be written: the file already exists; name another, or remove it`, { cause });

/** Reports a fault of the store itself as the store's, not the copy's. */
function explained(error: unknown, source: string, target: string): unknown {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (/^SQLITE_(CORRUPT|NOTADB|BUSY)/.test(code)) return asSwfError(error, source);
  if (code === 'EEXIST') return isThere(target, error);
  const why =
    code === 'SQLITE_FULL' || code === 'ENOSPC'
      ? 'its disk is full; free some space or name another place'
      : code === 'EPERM' || code === 'ENOTSUP' || code === 'ENOSYS'
        ? `${messageOf(error)}; its file system does not support links: name a place on another one, and copy it from there`
        : `${messageOf(error)}; name another place`;
  return storeUnavailable(`${target} cannot be written: ${why}`, { cause: error });
}
