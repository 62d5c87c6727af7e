import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { limitFunction } from 'p-limit';

import { encodeFrames, verifyFrames } from '../domain/frames.ts';
import { SwfError } from '../lib/errors.ts';
import { makeFolder } from '../lib/file-system.ts';
import { sha256 } from '../lib/sha256.ts';
import { digestOf } from './checksum.ts';
import {
  asDataError,
  type DataFiles,
  type FileFacts,
  type FramesOfFile,
  type PreparedFile,
  type StfToWrite,
} from './data-files.ts';
import {
  chunkBytes,
  firstIndex,
  readerOf,
  type ReadAt,
  readSmall,
  readFile,
  readRange,
  asideEnding,
  pathAddress,
  writeAside,
  type WritePlace,
} from './file-io.ts';

/** The most files open at a time: thousands of workers must not exhaust the process's file descriptors. */
const openFiles = 64;

/**
 * The data files of an execution in their own folder, created with mode 0700.
 * @param urlOf the address by which others know a file; by default, its path
 */
export const createDataFiles = (folder: string, urlOf = pathAddress(folder)): DataFiles =>
  new DiskDataFiles({ folder, urlOf });

/**
 * Writes a file aside and then renames it, so that a name never denotes half a file. File names come from messages: the vocabulary allows no
 * separator and no leading dot.
 */
class DiskDataFiles implements DataFiles {
  readonly #place: WritePlace;
  /** Small files that are being read. */
  readonly #small = new Map<string, Promise<ReadAt | undefined>>();
  readonly verify: DataFiles['verify'];

  constructor(place: WritePlace) {
    this.#place = place;
    this.verify = limitFunction((filename: string, range: FramesOfFile) => this.#verify(filename, range), {
      concurrency: openFiles,
    });
  }

  prepare(): void {
    try {
      makeFolder(this.#place.folder);
    } catch (error) {
      const fault = asDataError(error, this.#place.folder, this.#place.folder);
      throw fault instanceof SwfError ? fault : error;
    }
  }

  prepareStf({ filename, run, sequence, tf_count, frameBytes }: StfToWrite): Promise<PreparedFile> {
    return writeAside(this.#place, filename, async (write) => {
      const each = Math.max(1, Math.floor(chunkBytes / frameBytes));
      for (let first = 0; first < tf_count; first += each) {
        const count = Math.min(each, tf_count - first);
        await write(encodeFrames({ run, sequence }, first, count, frameBytes));
      }
    });
  }

  async measure(filename: string): Promise<FileFacts> {
    return { ...(await this.#read(filename, digestOf)), file_url: this.#place.urlOf(filename) };
  }

  copyFrames(from: string, to: string, { first, last, frameBytes }: FramesOfFile): Promise<FileFacts> {
    const range = { start: first * frameBytes, end: (last + 1) * frameBytes, frameBytes };
    return this.#read(from, async (source) => {
      const hash = sha256();
      const copy = await writeAside(this.#place, to, (write) =>
        readRange(readerOf(source), range, (chunk) => {
          hash.update(chunk);
          return write(chunk);
        }),
      );
      return { ...(await copy.publish()), checksum: `sha256:${hash.digest('hex')}` };
    });
  }

  async tidy(): Promise<void> {
    const names = await readdir(this.#place.folder).catch(() => []);
    const left = names.filter((name) => name.endsWith(asideEnding));
    await Promise.all(left.map((name) => rm(join(this.#place.folder, name), { force: true })));
  }

  async #verify(filename: string, range: FramesOfFile) {
    const small = await this.#smallOf(filename);
    if (small !== undefined) return verifyRange(small, range);
    return this.#read(filename, (file) => verifyRange(readerOf(file), range));
  }

  /** The slices of a sample are verified at the same time, and a small sample's slices share one read. */
  #smallOf(filename: string): Promise<ReadAt | undefined> {
    const known = this.#small.get(filename);
    if (known !== undefined) return known;
    const small = this.#read(filename, readSmall).finally(() => this.#small.delete(filename));
    this.#small.set(filename, small);
    return small;
  }

  async #read<T>(filename: string, work: (file: number) => Promise<T>): Promise<T> {
    const path = join(this.#place.folder, filename);
    try {
      return await readFile(path, work);
    } catch (error) {
      throw asDataError(error, path, this.#place.folder);
    }
  }
}

/** Throws an `Error` that names the missing or damaged frame. */
async function verifyRange(read: ReadAt, { first, last, frameBytes }: FramesOfFile) {
  const base = await firstIndex(read, frameBytes);
  if (base === undefined || first < base) throw new Error(`does not hold frame ${first}`);
  let next = first;
  const range = { start: (first - base) * frameBytes, end: (last + 1 - base) * frameBytes, frameBytes };
  await readRange(read, range, (chunk) => {
    verifyFrames(chunk, next, frameBytes);
    next += chunk.length / frameBytes;
  });
}
