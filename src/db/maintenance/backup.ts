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
 * compact, has mode 0600, and gets its name only once it is complete and on disk. It never replaces a file.
 * Throws `STORE_UNAVAILABLE` if the file cannot be written.
 */
export function backupStore(db: Connection, target: string) {
  // Check before doing the work, so that no caller waits in vain.
  if (fileAt(target) !== undefined) throw isThere(target);
  removeLeftovers(target);
  const aside = `${target}.${markOf(currentProcess())}.part`;
  try {
    // SQLite writes into this empty file, which is made first so that no other user can ever read the copy.
    closeSync(openSync(aside, 'wx', 0o600));
    // To SQLite, VACUUM INTO is a write, and this connection otherwise forbids writes.
    db.pragma('query_only = OFF');
    db.prepare('VACUUM INTO ?').run(aside);
    const file = openSync(aside, 'r');
    fsyncSync(file);
    closeSync(file);
    // If two backups use the same name, only one gets it. A rename would replace the other backup's file.
    linkSync(aside, target);
  } catch (error) {
    throw explained(error, db.name, target);
  } finally {
    for (const path of [aside, `${aside}-journal`]) removeIfThere(path);
  }
}

/**
 * Identifies a process in a file name by its pid, its start time, and the host or container where these are
 * valid.
 */
function markOf({ pid, pid_started }: { pid: number; pid_started: string }) {
  const [started = '', ...where] = pid_started.split(' ');
  return `${pid}-${started}-${sha256().update(where.join(' ')).digest('hex').slice(0, 8)}`;
}

/** Removes files that killed backups to this name left behind. */
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

/** The longest that a backup may take, in milliseconds. */
const longest = 86_400_000;

/**
 * Whether the process that started a file may still be writing it. For a process in another container or from
 * before a reboot, this is assumed for a day.
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

/** Reports a fault in the store itself as the store's fault, not as the copy's. */
function explained(error: unknown, source: string, target: string) {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (/^SQLITE_(CORRUPT|NOTADB|BUSY)/.test(code)) return asSwfError(error, source);
  if (code === 'EEXIST') return isThere(target, error);
  const why =
    code === 'SQLITE_FULL' || code === 'ENOSPC'
      ? 'its disk is full; free some space or name another path'
      : code === 'EPERM' || code === 'ENOTSUP' || code === 'ENOSYS'
        ? `${messageOf(error)}; the file system does not support links: name a path on another one, and copy the backup from there`
        : `${messageOf(error)}; name another path`;
  return storeUnavailable(`${target} cannot be written: ${why}`, { cause: error });
}
