import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { limitFunction } from 'p-limit';

import { encodeFrames, verifyFrames } from '../domain/frames.ts';
import { SwfError } from '../lib/errors.ts';
import { makeFolder } from '../lib/file-system.ts';
import { asDataError, type DataFiles, type FramesOfFile } from './data-files.ts';
import {
  asideEnding,
  chunkBytes,
  digestOf,
  firstIndex,
  pathAddress,
  type ReadAt,
  readerOf,
  readFile,
  readRange,
  readSmall,
  writeAside,
  writeHashed,
} from './file-io.ts';

/** How many files may be open at a time: thousands of workers must not exhaust the process's file descriptors. */
const openFiles = 64;

/**
 * The data files of an execution in their own folder, created with mode 0700. Writes a file under a
 * temporary name and then renames it, so that no file with its final name is ever incomplete. File names
 * come from messages: the vocabulary allows no separator and no leading dot.
 * @param urlOf the address by which others know a file; by default, its path
 */
export function createDataFiles(folder: string, urlOf = pathAddress(folder)): DataFiles {
  const place = { folder, urlOf };
  /** Small files that are being read. */
  const small = new Map<string, Promise<ReadAt | undefined>>();
  const read = async <T>(filename: string, work: (file: number) => Promise<T>) => {
    const path = join(folder, filename);
    try {
      return await readFile(path, work);
    } catch (error) {
      throw asDataError(error, path, folder);
    }
  };
  /** The slices of a sample are verified at the same time; those of a small sample share one read. */
  const smallOf = (filename: string) => {
    const known = small.get(filename) ?? read(filename, readSmall).finally(() => small.delete(filename));
    small.set(filename, known);
    return known;
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
    prepareStf: ({ filename, run, sequence, tf_count, frameBytes }) =>
      writeAside(place, filename, async (write) => {
        const each = Math.max(1, Math.floor(chunkBytes / frameBytes));
        for (let first = 0; first < tf_count; first += each) {
          const count = Math.min(each, tf_count - first);
          await write(encodeFrames({ run, sequence }, first, count, frameBytes));
        }
      }),
    measure: async (filename) => ({ ...(await read(filename, digestOf)), file_url: urlOf(filename) }),
    copyFrames(from, to, { first, last, frameBytes }) {
      const range = { start: first * frameBytes, end: (last + 1) * frameBytes, frameBytes };
      return read(from, (source) => writeHashed(place, to, (write) => readRange(readerOf(source), range, write)));
    },
    verify: limitFunction(
      async (filename: string, range: FramesOfFile) => {
        const whole = await smallOf(filename);
        if (whole !== undefined) return verifyRange(whole, range);
        return read(filename, (file) => verifyRange(readerOf(file), range));
      },
      { concurrency: openFiles },
    ),
    async tidy() {
      const names = await readdir(folder).catch(() => []);
      const left = names.filter((name) => name.endsWith(asideEnding));
      await Promise.all(left.map((name) => rm(join(folder, name), { force: true })));
    },
  };
}

/** Throws an `Error` that names the missing or damaged frame. */
async function verifyRange(read: ReadAt, { first, last, frameBytes }: FramesOfFile) {
  const base = await firstIndex(read, frameBytes);
  if (base === undefined || first < base) throw new Error(`does not contain frame ${first}`);
  let next = first;
  const range = { start: (first - base) * frameBytes, end: (last + 1 - base) * frameBytes, frameBytes };
  await readRange(read, range, (chunk) => {
    verifyFrames(chunk, next, frameBytes);
    next += chunk.length / frameBytes;
  });
}
