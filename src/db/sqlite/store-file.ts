import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

import { NoStoreYet, storeUnavailable, SwfError } from '../../lib/errors.ts';
import { whyNotOurs } from '../../lib/file-system.ts';
import { networkFileSystemOf } from '../../lib/network-file-system.ts';
import { tried } from '../../lib/tried.ts';
import { type Connection, Database } from './connection.ts';
import { asSwfError } from './sqlite-errors.ts';

/**
 * Identifies the file at a path, to distinguish it from a replacement; undefined if the file is missing or
 * inaccessible.
 */
export const fileAt = (path: string) =>
  tried(() => {
    const { dev, ino } = statSync(path);
    return `${dev}/${ino}`;
  });

/** The size of a file in bytes; 0 if the file does not exist. */
export const sizeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** A string that changes whenever the store is written to, even if only its write-ahead log changes. */
export function contentAt(path: string) {
  const states = [path, logOf(path)].map((name) => {
    const { mtimeMs, size } = statSync(name, { throwIfNoEntry: false }) ?? {};
    return `${fileAt(name)}/${mtimeMs}/${size}`;
  });
  return states.join(' ');
}

/**
 * Throws `STORE_UNAVAILABLE` if the store was removed, emptied or replaced, or its log was removed or
 * replaced: writes would be lost although SQLite reports success.
 */
export function requireSameFiles(path: string, opened: Record<'file' | 'log', string | undefined>, db: Connection) {
  const now = statSync(path, { throwIfNoEntry: false });
  if (now === undefined || `${now.dev}/${now.ino}` !== opened.file || now.size === 0) {
    const what = now === undefined ? 'removed' : now.size === 0 ? 'emptied' : 'replaced by another file';
    throw storeUnavailable(`the store ${path} was ${what} while it was open; restore it, and resume what was running`);
  }
  requireSameLog(path, opened.log, db);
}

/**
 * Throws `EROFS` on a read-only file system, where SQLite would only say that it cannot open a file, and
 * `STORE_UNAVAILABLE` if other users could change the store.
 */
export function requireWritable(path: string) {
  try {
    accessSync(dirname(path), constants.W_OK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EROFS') throw error;
  }
  // An existing file may be read-only; the first write reports that.
  requireOurs(path);
}

/** Throws `STORE_UNAVAILABLE` if another user could change the store. */
function requireOurs(path: string) {
  // The files next to the store contain the latest writes.
  const found = ['', '-wal', '-shm', '-journal']
    .map((ending) => ({ file: `${path}${ending}`, why: whyNotOurs(`${path}${ending}`) }))
    .find(({ why }) => why !== undefined);
  if (found === undefined) return;
  const { file, why } = found;
  throw storeUnavailable(
    `the store ${file} is not used: ${why}, so its contents cannot be trusted; "chmod 600" it if it is yours, or name another file with --db`,
  );
}

export const logOf = (path: string) => `${path}-wal`;

/**
 * Throws `STORE_UNAVAILABLE` if the write-ahead log was removed or replaced, since other processes do not see
 * writes to the old log. Before throwing, moves this process's writes into the store unless a new log has been
 * started.
 */
function requireSameLog(path: string, log: string | undefined, db: Connection) {
  const now = fileAt(logOf(path));
  if (log === undefined || now === log) return;
  const what = now === undefined ? 'removed' : 'replaced';
  const isWhole = now === undefined && moveLog(db);
  const rest = isWhole ? 'earlier writes are in the store' : 'the latest writes may be missing';
  throw storeUnavailable(
    `${logOf(path)}, a part of the store, was ${what} while it was open; ${rest}: resume what was running, and do not touch the files next to the store`,
  );
}

/** Each try waits for locks as long as any other statement does. */
const maxTries = 50;

/**
 * Moves all of the write-ahead log into the store. Returns false if a reader of an older state, or another
 * checkpoint, blocks this for too long.
 */
function moveLog(db: Connection) {
  for (let tries = 0; tries < maxTries; tries += 1) {
    const [moved] = db.pragma('wal_checkpoint(FULL)') as { busy: number; log: number; checkpointed: number }[];
    if (moved?.busy === 0 && moved.log === moved.checkpointed) return true;
  }
  return false;
}

/**
 * Throws `STORE_CORRUPT` if the store is empty or gone although its write-ahead log exists: SQLite would
 * discard the log, which may contain nearly everything.
 */
export function requireNoOrphanLog(path: string) {
  // Check the log first: a new store is written before its log exists.
  if (sizeOf(logOf(path)) === 0 || sizeOf(path) > 0) return;
  throw new SwfError(
    'STORE_CORRUPT',
    `the store ${path} is empty or gone, and ${path}-wal next to it has the latest writes; put the store back, restore a backup, or move ${path}-wal away`,
  );
}

/**
 * Throws `STORE_UNAVAILABLE` if other hosts may write to the store too. A store that no process is writing to
 * can be read from a copy.
 */
function requireLocal(path: string) {
  const network = networkFileSystemOf(path);
  if (network === undefined) return;
  throw storeUnavailable(
    `the store ${path} is on a network file system (${network}), where SQLite's write-ahead log would be damaged; name a file on a local disk with --db`,
  );
}

/** Larger stores are not read into memory. */
const maxBytes = 256 * 1024 * 1024;

/**
 * The header bytes that say how the file is written: 2 means a write-ahead log, 1 means none (SQLite,
 * "Database File Format").
 */
const journalModeBytes = [18, 19];

/**
 * Reads into memory a store that is in a read-only folder and that no process has open, since SQLite cannot
 * read a write-ahead log without files next to it. Undefined if the copy would be incomplete or too large.
 */
export function readIntoMemory(path: string) {
  if (sizeOf(logOf(path)) > 0 || sizeOf(path) > maxBytes) return undefined;
  const bytes = readFileSync(path);
  for (const at of journalModeBytes) bytes[at] = 1;
  return new Database(bytes);
}

/**
 * How long, in milliseconds, one try waits inside SQLite, where waiting blocks this process. Writers retry
 * outside SQLite.
 */
const busyTimeout = { writer: 20, reader: 1000, server: 50 };

/** The size of a SQLite header. SQLite treats a shorter file as empty and overwrites it. */
const minBytes = 100;

/**
 * Opens the file. If the file cannot be a store, explains why before SQLite reports its own error. Throws
 * `NoStoreYet` if there is neither a file nor `make`, otherwise `STORE_UNAVAILABLE` or `STORE_CORRUPT`.
 * @param make creates a missing file
 * @param isServer whether clients wait for answers from this process while it opens the file
 */
export function connect(path: string, make?: () => void, { isServer = false } = {}) {
  try {
    requireLocal(path);
    requireNoOrphanLog(path);
    make?.();
    const stats = statSync(path);
    if (stats.isFile() && stats.size > 0 && stats.size < minBytes)
      throw storeUnavailable(`${path} is not a swf-mcp store; name another file with --db`);
    if (!stats.isFile()) throw storeUnavailable(`${path} is not a file; name a store file with --db`);
    return new Database(path, {
      fileMustExist: true,
      timeout: busyTimeout[make !== undefined ? 'writer' : isServer ? 'server' : 'reader'],
    });
  } catch (error) {
    if (make === undefined && (error as NodeJS.ErrnoException).code === 'ENOENT') throw new NoStoreYet(path, error);
    throw asSwfError(error, path);
  }
}
