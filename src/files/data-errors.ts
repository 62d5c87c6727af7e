import { constants } from 'node:fs';

import { canAccess } from '../lib/can-access.ts';
import { dataUnavailable, messageOf, SwfError } from '../lib/errors.ts';

/** Errors that an operator can fix and no message caused: with more room or a repaired disk, everything goes on. */
const mendable: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EMFILE', 'ENFILE']);

/** A missing file may be one file's fault. A missing or inaccessible folder is the disk's fault. */
const missing: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ESTALE']);

/**
 * Translates an error of the file system.
 * @param folder the folder of data files that `path` is in
 * @returns `DATA_UNAVAILABLE` for a disk that is full, faulty, or not there (a file system that is not mounted); any other error as it is
 */
export function asDataError(error: unknown, path: string, folder: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined || error instanceof SwfError) return error;
  const dataError = (what: string, todo: string): SwfError =>
    dataUnavailable(`${what} (${messageOf(error)}); ${todo}, then resume or stop the execution`, { cause: error });
  if (mendable.has(code)) return dataError(`${path} cannot be written or read`, 'make room or fix the disk');
  if (missing.has(code) && !canAccess(folder, constants.R_OK | constants.W_OK | constants.X_OK))
    return dataError(`the data folder ${folder} is not there or may not be used`, 'bring it back, or fix its rights');
  return error;
}
