import { createHash, randomUUID } from 'node:crypto';
import { accessSync, close, constants, fstat, open, read, write } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

import { limitFunction } from 'p-limit';

import { encodeFrames, indexOfFrame, verifyFrames } from '../domain/frames.ts';
import { messageOf, SwfError } from '../lib/errors.ts';
import { makeFolder } from './make-folder.ts';

/** What is known of a file once it is there. Sizes in bytes; a checksum is `sha256:` and 64 hex digits. */
export interface FileFacts {
  size_bytes: number;
  checksum?: string;
  file_url?: string;
}

/** Frames by their indices in the STF, both inclusive, and the length of each in bytes. */
interface FramesOfFile {
  first: number;
  last: number;
  frameBytes: number;
}

/** The data files of one execution. Every method may be called again for the same file with the same result. */
export interface DataFiles {
  /** Makes the folder, for an execution that has written nothing yet; one that goes away later is not made again. */
  prepare(): void;
  writeStf(stf: {
    filename: string;
    run: number;
    sequence: number;
    tf_count: number;
    frameBytes: number;
  }): Promise<FileFacts>;
  /** Size and checksum of a file. */
  measure(filename: string, expected: { tf_count: number; frameBytes: number }): Promise<FileFacts>;
  /** Writes frames `first` to `last` (inclusive) of one file as another. */
  copyFrames(from: string, to: string, range: FramesOfFile): Promise<FileFacts>;
  /** Reads frames `first` to `last` and checks index and checksum of each. Throws an `Error` that names the frame. */
  verify(filename: string, range: FramesOfFile): Promise<void>;
  /** Removes what a killed process left half written. For the only process that writes here. */
  tidy(): Promise<void>;
}

/** The end of the name of what is still being written. */
export const asideEnding = '.part';

/** What an operator can mend, and nothing of the workflow is to blame for: with more room everything goes on. */
const mendable: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EMFILE', 'ENFILE']);

/** A file that is not there may be one file's fault; a folder that is not, or may not be looked into, is the disk's. */
const missing: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ESTALE']);

/**
 * `DATA_UNAVAILABLE` for a disk that is full, faulty, or not there (a file system that is not mounted); any other error stays
 * what it is.
 */
export function asDataError(error: unknown, path: string, folder: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  const because = (what: string, todo: string): SwfError =>
    new SwfError('DATA_UNAVAILABLE', `${what} (${messageOf(error)}); ${todo}, then resume`, { cause: error });
  if (code === undefined || error instanceof SwfError) return error;
  if (mendable.has(code)) return because(`${path} cannot be written or read`, 'make room or mend the disk');
  if (missing.has(code) && !isUsable(folder))
    return because(`the data folder ${folder} is not there or may not be used`, 'bring it back, or mend its rights');
  return error;
}

function isUsable(folder: string): boolean {
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Files that are open at a time: thousands of workers must not run the process out of file descriptors. */
const openFiles = 64;

/** Bytes that are held in memory at a time, however large a file is. */
const chunkBytes = 1_048_576;

/**
 * Files in one folder, which is made with mode 0700. A file is written aside and then renamed, so that a name never stands
 * for half a file. File names come from messages: the vocabulary lets no separator and no leading dot through.
 */
export function createDataFiles(folder: string): DataFiles {
  const pathOf = (filename: string): string => join(folder, filename);

  const withFile = async <T>(path: string, flags: 'r' | 'w', work: (file: number) => Promise<T>): Promise<T> => {
    try {
      return await inFile(path, flags, work);
    } catch (error) {
      throw asDataError(error, path, folder);
    }
  };

  const writeAside = async (filename: string, produce: (write: WriteChunk) => Promise<void>): Promise<FileFacts> => {
    const path = pathOf(filename);
    // Two processes may write the same file at the same time, each aside from the other.
    const aside = `${path}.${randomUUID().slice(0, 8)}${asideEnding}`;
    let size_bytes = 0;
    try {
      await inFile(aside, 'w', (file) =>
        produce(async (chunk) => {
          for (let at = 0; at < chunk.length;) at += (await writeTo(file, chunk, at)).bytesWritten;
          size_bytes += chunk.length;
        }),
      );
      await rename(aside, path);
    } catch (error) {
      await rm(aside, { force: true }).catch(() => {});
      throw asDataError(error, path, folder);
    }
    return { size_bytes, file_url: pathToFileURL(path).href };
  };

  return {
    prepare() {
      try {
        makeFolder(folder);
      } catch (error) {
        const fault = asDataError(error, folder, folder);
        throw fault instanceof SwfError ? fault : error;
      }
    },

    writeStf: ({ filename, run, sequence, tf_count, frameBytes }) =>
      writeAside(filename, async (add) => {
        const each = Math.max(1, Math.floor(chunkBytes / frameBytes));
        for (let first = 0; first < tf_count; first += each) {
          const count = Math.min(each, tf_count - first);
          await add(encodeFrames({ run, sequence }, first, count, frameBytes));
        }
      }),

    measure(filename) {
      const path = pathOf(filename);
      return withFile(path, 'r', async (file) => {
        const { size } = await statOf(file);
        const hash = createHash('sha256');
        await readRange(file, { start: 0, end: size, frameBytes: 1 }, (chunk) => hash.update(chunk));
        return { size_bytes: size, checksum: `sha256:${hash.digest('hex')}`, file_url: pathToFileURL(path).href };
      });
    },

    copyFrames: (from, to, { first, last, frameBytes }) =>
      withFile(pathOf(from), 'r', (source) =>
        writeAside(to, (add) =>
          readRange(source, { start: first * frameBytes, end: (last + 1) * frameBytes, frameBytes }, add),
        ),
      ),

    verify: limitFunction(
      (filename, { first, last, frameBytes }) =>
        withFile(pathOf(filename), 'r', async (file) => {
          const base = await firstIndex(file, frameBytes);
          if (base === undefined || first < base) throw new Error(`does not hold frame ${first}`);
          let next = first;
          const range = { start: (first - base) * frameBytes, end: (last + 1 - base) * frameBytes, frameBytes };
          await readRange(file, range, (chunk) => {
            verifyFrames(chunk, next, frameBytes);
            next += chunk.length / frameBytes;
          });
        }),
      { concurrency: openFiles },
    ),

    async tidy() {
      const names = await readdir(folder).catch(() => []);
      await Promise.all(
        names.filter((name) => name.endsWith(asideEnding)).map((name) => rm(join(folder, name), { force: true })),
      );
    },
  };
}

type WriteChunk = (chunk: Buffer) => Promise<void>;

// Plain descriptors: a `FileHandle` costs several times as much, and there is a file for every slice.
const [openAt, writeAt, readFrom, closeFile, statOf] = [
  promisify(open),
  promisify(write),
  promisify(read),
  promisify(close),
  promisify(fstat),
];

const writeTo = (file: number, chunk: Buffer, at: number) => writeAt(file, chunk, at, chunk.length - at, null);

async function inFile<T>(path: string, flags: 'r' | 'w', work: (file: number) => Promise<T>): Promise<T> {
  const file = await openAt(path, flags, 0o600);
  try {
    return await work(file);
  } finally {
    await closeFile(file);
  }
}

/**
 * The index that the file's first frame has or must have. Two frames must agree on it, where there are two: a damaged or
 * misplaced frame must not make the others wrong.
 */
async function firstIndex(file: number, frameBytes: number): Promise<number | undefined> {
  const said = new Set<number>();
  const frames = Buffer.allocUnsafe(2 * frameBytes);
  for (let place = 0; ; place += 2) {
    const { bytesRead } = await readFrom(file, frames, 0, frames.length, place * frameBytes);
    for (let at = 0; at < 2; at += 1) {
      // At the end the word of the first whole frame has to do.
      if (bytesRead < (at + 1) * frameBytes) return [...said][0];
      const index = indexOfFrame(frames.subarray(at * frameBytes, (at + 1) * frameBytes), frameBytes);
      if (index === undefined) continue;
      const base = index - place - at;
      if (said.has(base)) return base;
      said.add(base);
    }
  }
}

/** Gives the bytes from `start` to `end` to `take`, in whole frames. Throws an `Error` if the file is shorter. */
async function readRange(
  file: number,
  { start, end, frameBytes }: { start: number; end: number; frameBytes: number },
  take: (chunk: Buffer) => unknown,
): Promise<void> {
  const wanted = Math.max(1, Math.floor(chunkBytes / frameBytes)) * frameBytes;
  for (let position = start; position < end;) {
    const length = Math.min(wanted, end - position);
    const { bytesRead, buffer } = await readFrom(file, Buffer.allocUnsafe(length), 0, length, position);
    if (bytesRead < length) throw new Error(`ends before byte ${position + length}`);
    await take(buffer);
    position += length;
  }
}

/** For `write_files = false`: nothing is written, sizes are those that files would have, and there is no checksum. */
export const noDataFiles: DataFiles = {
  prepare: () => {},
  writeStf: ({ tf_count, frameBytes }) => Promise.resolve({ size_bytes: tf_count * frameBytes }),
  measure: (_, { tf_count, frameBytes }) => Promise.resolve({ size_bytes: tf_count * frameBytes }),
  copyFrames: (_, __, { first, last, frameBytes }) => Promise.resolve({ size_bytes: (last + 1 - first) * frameBytes }),
  verify: () => Promise.resolve(),
  tidy: () => Promise.resolve(),
};
