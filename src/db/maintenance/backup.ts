import { closeSync, fsyncSync, linkSync, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { messageOf, SwfError } from '../../lib/errors.ts';
import { currentProcess, isAlive } from '../../lib/process-identity.ts';
import { sha256 } from '../../lib/sha256.ts';
import type { Connection } from '../sqlite/connection.ts';
import { asSwfError } from '../sqlite/sqlite-errors.ts';
import { fileAt } from '../sqlite/store-file.ts';

/**
 * Writes the store as it is at this moment into a new file, while others go on writing into the store. The file is compact, has
 * mode 0600, and has its name only when it is whole and on the disk; a file that is there is never replaced. Throws `STORE_UNAVAILABLE` where
 * it cannot be written.
 */
export function backupStore(db: Connection, target: string): void {
  // Before the work, for those who would wait for it in vain.
  if (fileAt(target) !== undefined) throw isThere(target);
  removeLeftovers(target);
  const aside = `${target}.${markOf(currentProcess())}.part`;
  try {
    // SQLite writes into an empty file that is there; so nobody else can read it at any moment.
    closeSync(openSync(aside, 'wx', 0o600));
    // SQLite takes the copy for a writing, which this connection may not do otherwise.
    db.pragma('query_only = OFF');
    db.prepare('VACUUM INTO ?').run(aside);
    const file = openSync(aside, 'r');
    fsyncSync(file);
    closeSync(file);
    // Of two backups to one name, one gets it: a renaming would replace the other's.
    linkSync(aside, target);
  } catch (error) {
    throw explained(error, db.name, target);
  } finally {
    for (const path of [aside, `${aside}-journal`]) removeIfThere(path);
  }
}

/** The first error says what went wrong; this one would say the same again. */
function removeIfThere(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Its name may be too long to be that of a file.
  }
}

/** Names a process within the name of a file: its pid, its start, and where these mean anything. */
function markOf({ pid, pid_started }: { pid: number; pid_started: string }): string {
  const [started = '', ...where] = pid_started.split(' ');
  return `${pid}-${started}-${sha256().update(where.join(' ')).digest('hex').slice(0, 8)}`;
}

/** Removes what killed backups to this name have left. */
function removeLeftovers(target: string): void {
  const folder = dirname(target);
  for (const name of namesIn(folder)) {
    if (!name.startsWith(`${basename(target)}.`)) continue;
    const [, pid, started = '', where] = /\.(\d+)-(\d*)-([0-9a-f]{8})\.part(?:-journal)?$/.exec(name) ?? [];
    if (pid === undefined) continue;
    const path = join(folder, name);
    if (!isBeingWritten(path, { pid: Number(pid), started, where })) removeIfThere(path);
  }
}

/** Nobody works on a backup for longer, in milliseconds. */
const longest = 86_400_000;

/** Whether the process that has begun a file may still write it. One of another container or an earlier boot may for a day. */
function isBeingWritten(
  path: string,
  { pid, started, where }: { pid: number; started: string; where: string | undefined },
): boolean {
  const own = currentProcess();
  if (!markOf(own).endsWith(`-${where}`))
    return Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) < longest;
  const [, ...here] = own.pid_started.split(' ');
  return isAlive({ ...own, pid, pid_started: [started, ...here].join(' ') }) !== false;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

const isThere = (target: string, cause?: unknown): SwfError =>
  new SwfError(
    'STORE_UNAVAILABLE',
    `${target} cannot be written: there is such a file already; name another, or remove it`,
    { cause },
  );

/** A fault of the store itself is told of the store, not of the copy. */
function explained(error: unknown, source: string, target: string): unknown {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (/^SQLITE_(CORRUPT|NOTADB|BUSY)/.test(code)) return asSwfError(error, source);
  if (code === 'EEXIST') return isThere(target, error);
  const why =
    code === 'SQLITE_FULL' || code === 'ENOSPC'
      ? 'its disk has no room; make room or name another place'
      : code === 'EPERM' || code === 'ENOTSUP' || code === 'ENOSYS'
        ? `${messageOf(error)}; its file system has no links: name a place on another, and copy it from there`
        : `${messageOf(error)}; name another place`;
  return new SwfError('STORE_UNAVAILABLE', `${target} cannot be written: ${why}`, { cause: error });
}
