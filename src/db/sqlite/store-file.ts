import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

import { SwfError } from '../../lib/errors.ts';
import { networkFileSystemOf } from '../../lib/network-file-system.ts';
import { whyNotOurs } from '../../lib/ownership.ts';
import type { Connection } from './connection.ts';
import { Database } from './database.ts';

/** Tells the file at a path from another one that takes its place; undefined where none can be seen. */
export function fileAt(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}/${ino}`;
  } catch {
    return undefined;
  }
}

/** A text that is another one after the store has been written, be it only its write-ahead log. */
export function contentAt(path: string): string | undefined {
  const states = [path, `${path}-wal`].map((name) => {
    const { mtimeMs, size } = statSync(name, { throwIfNoEntry: false }) ?? {};
    return `${fileAt(name)}/${mtimeMs}/${size}`;
  });
  return states.join(' ');
}

/**
 * Throws `STORE_UNAVAILABLE` for a file that has been removed, emptied or replaced: what is written into it is lost, whatever SQLite says.
 */
export function requireSameFile(path: string, file: string | undefined): void {
  const now = statSync(path, { throwIfNoEntry: false });
  if (now !== undefined && `${now.dev}/${now.ino}` === file && now.size > 0) return;
  const what = now === undefined ? 'removed' : now.size === 0 ? 'emptied' : 'replaced by another file';
  throw new SwfError(
    'STORE_UNAVAILABLE',
    `the store ${path} was ${what} while it was open; put it back and resume what was running`,
  );
}

/** Passes on `EROFS` for a store on a file system that is read-only: SQLite would say only that it cannot open a file. */
export function requireWritableDisk(path: string): void {
  try {
    accessSync(dirname(path), constants.W_OK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EROFS') throw error;
  }
}

/** Throws `STORE_UNAVAILABLE` for a store that somebody else could change behind our back. */
export function requireOurs(path: string): void {
  // The last writes are in the files beside it.
  const found = ['', '-wal', '-shm', '-journal']
    .map((ending) => ({ file: `${path}${ending}`, why: whyNotOurs(`${path}${ending}`) }))
    .find(({ why }) => why !== undefined);
  if (found === undefined) return;
  const { file, why } = found;
  throw new SwfError(
    'STORE_UNAVAILABLE',
    `the store ${file} is not written: ${why}, so nothing in it could be believed; "chmod 600" it if it is yours, or name another file with --db`,
  );
}

/** The write-ahead log of a store. */
export const logOf = (path: string): string => `${path}-wal`;

/**
 * Throws `STORE_UNAVAILABLE` where the write-ahead log has been removed or replaced: others do not see what is written into the old one.
 * @param rescue moves into the store what this process has written, where nobody else has begun another log; whether all of it is there
 */
export function requireSameLog(path: string, log: string | undefined, rescue: () => boolean): void {
  const now = fileAt(logOf(path));
  if (log === undefined || now === log) return;
  const what = now === undefined ? 'removed' : 'replaced';
  const isWhole = now === undefined && rescue();
  const rest = isWhole ? 'what was written before is in the store' : 'the last of what was written may be missing';
  throw new SwfError(
    'STORE_UNAVAILABLE',
    `${logOf(path)}, a part of the store, was ${what} while it was open; ${rest}: resume what was running, and leave the files beside a store alone`,
  );
}

/**
 * Throws `STORE_CORRUPT` for a store that is empty or gone while its write-ahead log is there: SQLite would throw the log away, which may
 * hold nearly everything.
 */
export function requireNoOrphanLog(path: string): void {
  const sizeOf = (name: string): number => statSync(name, { throwIfNoEntry: false })?.size ?? 0;
  // In this order: the maker of a store writes into it before there is a log.
  if (sizeOf(`${path}-wal`) === 0 || sizeOf(path) > 0) return;
  throw new SwfError(
    'STORE_CORRUPT',
    `the store ${path} is empty or gone, and ${path}-wal beside it holds what was written last; put the store back, restore a backup, or move ${path}-wal away`,
  );
}

/** Throws `STORE_UNAVAILABLE` for a store that other hosts may write too. A store that nobody writes may be read from a copy. */
export function requireLocal(path: string): void {
  const network = networkFileSystemOf(path);
  if (network === undefined) return;
  throw new SwfError(
    'STORE_UNAVAILABLE',
    `the store ${path} is on a network file system (${network}), where SQLite's write-ahead log gets damaged; name a file on a local disk with --db`,
  );
}

/** Larger stores are not read into memory. */
const mostBytes = 256 * 1024 * 1024;

/** Where the file format's header says how the file is written: 2 is the write-ahead log, 1 is none (SQLite, "Database File Format"). */
const journalModeBytes = [18, 19];

/**
 * Reads a store that nobody has open, in a folder that may not be written, into memory: SQLite cannot read a write-ahead log without files
 * beside it. Undefined where the copy would not be the whole store, or is too large.
 */
export function readIntoMemory(path: string): Connection | undefined {
  const size = (name: string): number => statSync(name, { throwIfNoEntry: false })?.size ?? 0;
  if (size(`${path}-wal`) > 0 || size(path) > mostBytes) return undefined;
  const bytes = readFileSync(path);
  for (const at of journalModeBytes) bytes[at] = 1;
  return new Database(bytes);
}
