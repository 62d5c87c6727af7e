import { statSync } from 'node:fs';

import { NoStoreYet, storeUnavailable } from '../../lib/errors.ts';
import type { Connection } from './connection.ts';
import { Database } from './database.ts';
import { asSwfError } from './sqlite-errors.ts';
import { requireLocal, requireNoOrphanLog } from './store-file.ts';

/** How long one try waits inside SQLite, which blocks this process, in milliseconds. Writers retry outside SQLite. */
const busyTimeout = { writer: 20, reader: 1000, server: 50 };

/** The size of a SQLite header. SQLite treats a shorter file as empty and overwrites it. */
const minBytes = 100;

/**
 * Opens the file, or explains why it cannot be a store before SQLite does so in its own words.
 * @param make creates a missing file
 * @param isServer whether clients wait for answers of this process meanwhile
 * Throws `NoStoreYet` if there is no file and no `make`, else `STORE_UNAVAILABLE` or `STORE_CORRUPT`.
 */
export function connect(path: string, make?: () => void, { isServer = false } = {}): Connection {
  try {
    requireLocal(path);
    requireNoOrphanLog(path);
    make?.();
    const stats = statSync(path);
    if (stats.isFile() && stats.size > 0 && stats.size < minBytes)
      throw storeUnavailable(`${path} is not a store of swf-mcp; name another file with --db`);
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
