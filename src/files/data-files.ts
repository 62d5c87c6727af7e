import { constants } from 'node:fs';

import { dataUnavailable, messageOf, SwfError } from '../lib/errors.ts';
import { canAccess } from '../lib/file-system.ts';

/** Facts about an existing file. A checksum is `sha256:` and 64 hex digits. */
interface FileFacts {
  size_bytes: number;
  checksum?: string;
  file_url?: string;
}

/** The indices, in the STF, of a file's first and last frames, and the length of each frame in bytes. */
export interface FramesOfFile {
  first: number;
  last: number;
  frameBytes: number;
}

interface StfToWrite {
  filename: string;
  run: number;
  sequence: number;
  tf_count: number;
  frameBytes: number;
}

/** A file that has been written but does not have its final name yet. */
export interface PreparedFile {
  /** Gives the file its final name. */
  publish(): Promise<FileFacts>;
  discard(): Promise<void>;
}

/**
 * The data files of one execution. Every method may be called again for the same file with the same result.
 * All methods throw `DATA_UNAVAILABLE` if the disk or the folder is at fault, and an `Error` if a file is
 * damaged or missing.
 */
export interface DataFiles {
  /**
   * Makes the folder of an execution that has written nothing yet. A folder that disappears later is not
   * recreated.
   */
  prepare(): void;
  /** Writes an STF file under a temporary name: it is not visible until it is published. */
  prepareStf(stf: StfToWrite): Promise<PreparedFile>;
  /** Size and checksum of a file. `expected` gives the size if nothing is written. */
  measure(filename: string, expected: { tf_count: number; frameBytes: number }): Promise<FileFacts>;
  /** Writes frames `first` to `last` of one file as another file. */
  copyFrames(from: string, to: string, range: FramesOfFile): Promise<FileFacts>;
  /**
   * Reads frames `first` to `last` and checks the index and checksum of each. Throws an `Error` that names the
   * frame.
   */
  verify(filename: string, range: FramesOfFile): Promise<void>;
  /** Removes files that a killed process left unfinished. Only the process that writes here may call it. */
  tidy(): Promise<void>;
}

/**
 * For `write_files = false`: nothing is written, sizes are those that the files would have, and there are
 * no checksums.
 */
export const noDataFiles: DataFiles = {
  prepare: () => {},
  prepareStf: ({ tf_count, frameBytes }) =>
    Promise.resolve({
      publish: () => Promise.resolve({ size_bytes: tf_count * frameBytes }),
      discard: () => Promise.resolve(),
    }),
  measure: (_, { tf_count, frameBytes }) => Promise.resolve({ size_bytes: tf_count * frameBytes }),
  copyFrames: (_, __, { first, last, frameBytes }) => Promise.resolve({ size_bytes: (last + 1 - first) * frameBytes }),
  verify: () => Promise.resolve(),
  tidy: () => Promise.resolve(),
};

/**
 * Errors that were not caused by a message and that an operator can fix: with more space or a repaired disk,
 * work continues.
 */
const mendable: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EMFILE', 'ENFILE']);

/**
 * If a file is missing, the fault may concern that file only. If its folder is missing or inaccessible, the
 * disk is at fault.
 */
const missing: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ESTALE']);

/**
 * Translates a file system error.
 * @param folder the folder of data files that `path` is in
 * @returns `DATA_UNAVAILABLE` for a disk that is full, faulty, or not there (a file system that is not mounted);
 * any other error as it is
 */
export function asDataError(error: unknown, path: string, folder: string) {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined || error instanceof SwfError) return error;
  const dataError = (what: string, todo: string) =>
    dataUnavailable(`${what} (${messageOf(error)}); ${todo}, then resume or stop the execution`, { cause: error });
  if (mendable.has(code)) return dataError(`${path} cannot be written or read`, 'free some space or fix the disk');
  if (missing.has(code) && !canAccess(folder, constants.R_OK | constants.W_OK | constants.X_OK))
    return dataError(
      `the data folder ${folder} does not exist or cannot be used`,
      'restore it, or fix its permissions',
    );
  return error;
}
