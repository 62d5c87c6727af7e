import { NoStoreYet } from '../../lib/errors.ts';
import { networkFileSystemOf } from '../../lib/network-file-system.ts';
import { type Connection, Database } from '../sqlite/connection.ts';
import { asSwfError } from '../sqlite/sqlite-errors.ts';
import { connect, fileAt, readIntoMemory } from '../sqlite/store-file.ts';
import { isEmpty, requireKnownVersion, requireOwnKind } from './schema-version.ts';

/**
 * Opens a store for reading only. Throws `NoStoreYet` if the store does not exist, `STORE_TOO_OLD` if it
 * must be upgraded first, and other `STORE_…` errors if the file cannot be used.
 */
export function openReader(path: string, { isServer = false } = {}) {
  let db: Connection | undefined;
  try {
    db = connectToRead(path, isServer);
    requireKnownVersion(db, path);
    if (isEmpty(db)) throw new NoStoreYet(path);
    return db;
  } catch (error) {
    db?.close();
    throw asSwfError(error, path);
  }
}

/** Connects to the file, or to a copy in memory if SQLite would have to write next to the file but may not. */
function connectToRead(path: string, isServer: boolean) {
  if (fileAt(path) !== undefined && networkFileSystemOf(path) !== undefined) {
    const copy = readIntoMemory(path);
    if (copy !== undefined) return readOnly(copy, path);
  }
  const db = connect(path, undefined, { isServer });
  try {
    return readOnly(db, path);
  } catch (error) {
    db.close();
    const copy = cannotWriteBeside(error) ? readIntoMemory(path) : undefined;
    if (copy === undefined) throw error;
    return readOnly(copy, path);
  }
}

/**
 * SQLite's own default size, in KiB; better-sqlite3's default is eight times as large. A larger cache gains
 * little: the system caches pages too, and SQLite drops its own at each commit by another process. A sort takes
 * the same amount of memory again.
 */
const cacheSize = 2000;

function readOnly(db: Connection, path: string) {
  db.pragma('query_only = ON');
  db.pragma(`cache_size = -${cacheSize}`);
  requireOwnKind(db, path);
  return db;
}

const cannotWriteBeside = (error: unknown) =>
  error instanceof Database.SqliteError &&
  (error.code.startsWith('SQLITE_READONLY') || error.code.startsWith('SQLITE_CANTOPEN'));
