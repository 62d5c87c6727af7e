import { statSync } from 'node:fs';

import { NoStoreYet, SwfError } from '../../lib/errors.ts';
import type { Connection } from './connection.ts';
import { Database } from './database.ts';
import { asSwfError } from './sqlite-errors.ts';
import { requireLocal, requireNoOrphanLog } from './store-file.ts';

/** How long one try waits inside SQLite, where nothing else of this process can go on, in milliseconds. Writers try again from outside. */
const busyTimeout = { writer: 20, reader: 1000, server: 50 };

/** The header of a SQLite file. It takes a shorter file for an empty one, and writes over it. */
const leastBytes = 100;

/**
 * Opens the file, or says why it cannot be a store before SQLite says so in its own words.
 * @param make makes the file where there is none
 * @param isServer whether others wait meanwhile for answers of this process
 * Throws `NoStoreYet` where there is none and nobody makes it, `STORE_UNAVAILABLE` or `STORE_CORRUPT` otherwise.
 */
export function connect(path: string, make?: () => void, { isServer = false } = {}): Connection {
  try {
    requireLocal(path);
    requireNoOrphanLog(path);
    make?.();
    const stats = statSync(path);
    if (stats.isFile() && stats.size > 0 && stats.size < leastBytes)
      throw new SwfError('STORE_UNAVAILABLE', `${path} is not a store of swf-mcp; name another file with --db`);
    if (!stats.isFile()) {
      throw new SwfError('STORE_UNAVAILABLE', `${path} is not a file; name a store file with --db`);
    }
    return new Database(path, {
      fileMustExist: true,
      timeout: busyTimeout[make !== undefined ? 'writer' : isServer ? 'server' : 'reader'],
    });
  } catch (error) {
    if (make === undefined && (error as NodeJS.ErrnoException).code === 'ENOENT') throw new NoStoreYet(path, error);
    throw asSwfError(error, path);
  }
}
