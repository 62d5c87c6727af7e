import { readFileSync, statSync } from 'node:fs';

import Database from 'better-sqlite3';

import { SwfError } from '../errors.ts';
import { networkFileSystemOf } from '../file-system.ts';

/** Tells the file at a path from another one that takes its place; undefined where none can be seen. */
export function fileAt(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}/${ino}`;
  } catch {
    return undefined;
  }
}

/** Tells what a store holds from what it holds after it has been written, be it only its write-ahead log. */
export function contentAt(path: string): string | undefined {
  const states = [path, `${path}-wal`].map((name) => {
    const { mtimeMs, size } = statSync(name, { throwIfNoEntry: false }) ?? {};
    return `${fileAt(name)}/${mtimeMs}/${size}`;
  });
  return states.join(' ');
}

/** What is written into a file that has no name any more is lost, whatever SQLite says. Throws `STORE_UNAVAILABLE`. */
export function requireSameFile(path: string, file: string | undefined): void {
  const now = fileAt(path);
  if (now === file) return;
  throw new SwfError(
    'STORE_UNAVAILABLE',
    `the store ${path} was ${now === undefined ? 'removed' : 'replaced by another file'} while it was open; put it back and resume what was running`,
  );
}

/** A place where other hosts may write too is no place to write; what nobody writes may be read from a copy. Throws `STORE_UNAVAILABLE`. */
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
 * A store that nobody has open, in a folder that may not be written, as a copy in memory: SQLite cannot read a write-ahead log
 * without files beside it. Undefined where that would not be the whole store, or is too large.
 */
export function readIntoMemory(path: string): Database.Database | undefined {
  const size = (name: string): number => statSync(name, { throwIfNoEntry: false })?.size ?? 0;
  if (size(`${path}-wal`) > 0 || size(path) > mostBytes) return undefined;
  const bytes = readFileSync(path);
  for (const at of journalModeBytes) bytes[at] = 1;
  return new Database(bytes);
}
