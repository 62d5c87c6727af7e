import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { access, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

import { indexOfFrame } from '../domain/frames.ts';
import { sha256 } from '../lib/sha256.ts';
import { asDataError } from './data-files.ts';

/** The size of an open file, and its checksum: `sha256:` and 64 hex digits. */
export async function digestOf(file: number) {
  const hash = sha256();
  const size_bytes = await readAll(readerOf(file), (chunk) => hash.update(chunk));
  return { size_bytes, checksum: `sha256:${hash.digest('hex')}` };
}

/** A file's checksum. Throws file system errors. */
export const checksumOf = async (path: string): Promise<string> => (await readFile(path, digestOf)).checksum;

/** How many checksums to keep. */
const maxKept = 10_000;

export type CheckedFiles = ReturnType<typeof createCheckedFiles>;

/**
 * Checksums of files, each computed only once as long as the file does not change: the slices of a sample
 * share them.
 */
export function createCheckedFiles() {
  const sums = new Map<string, Promise<string>>();
  return {
    /**
     * Whether a file can be read and has this checksum. If the checksum is missing or of an unknown kind,
     * every file matches.
     */
    async agrees(path: string, checksum: string | undefined) {
      try {
        if (checksum?.startsWith('sha256:') !== true) {
          await access(path, fs.constants.R_OK);
          return true;
        }
        const { size, mtimeMs } = await stat(path);
        const key = `${path} ${size} ${mtimeMs}`;
        const known = sums.get(key) ?? checksumOf(path);
        if (sums.size >= maxKept) sums.clear();
        sums.set(key, known);
        return (await known) === checksum;
      } catch {
        return false;
      }
    },
  };
}

/** Number of bytes held in memory at a time, however large a file is. */
export const chunkBytes = 1_048_576;

// Plain descriptors are used, since a `FileHandle` costs several times as much and every slice has a file.
const openAt = promisify(fs.open);
const writeAt = promisify(fs.write);
const readFrom = promisify(fs.read);
const closeFile = promisify(fs.close);

/**
 * Opens a regular file, reads it through its descriptor, and closes it. Throws an `Error` for a pipe, a device
 * or anything else. Does not wait for the close, which cannot affect the data that was read.
 */
export async function readFile<T>(path: string, work: (file: number) => Promise<T>) {
  // Opening a pipe in place of the file would block until another process writes to it.
  const file = await openAt(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  try {
    if (!fs.fstatSync(file).isFile()) throw new Error(`${basename(path)} is not a regular file`);
    return await work(file);
  } finally {
    fs.close(file, () => {});
  }
}

/**
 * Opens a file to overwrite (`w`) or extend (`a`) it, writes through its descriptor, and closes it. A missing
 * file is created with mode 0600.
 */
export async function writeFile<T>(path: string, flags: 'w' | 'a', work: (file: number) => Promise<T>) {
  const file = await openAt(path, flags, 0o600);
  try {
    return await work(file);
  } finally {
    await closeFile(file);
  }
}

export async function append(file: number, chunk: Uint8Array) {
  for (let at = 0; at < chunk.length;) at += (await writeAt(file, chunk, at, chunk.length - at, null)).bytesWritten;
}

/** Reads bytes of a file from a position; fewer than requested if the file ends first. */
export type ReadAt = (position: number, length: number) => Promise<Buffer>;

export const readerOf =
  (file: number): ReadAt =>
  async (position, length) => {
    const { bytesRead, buffer } = await readFrom(file, Buffer.allocUnsafe(length), 0, length, position);
    return buffer.subarray(0, bytesRead);
  };

/**
 * How many bytes to read in one call to see whether a file is small: most samples are no larger, and a read
 * call costs more than the bytes that it reads.
 */
const headBytes = 16_384;

/** Reads a small file into memory and returns a reader for it; undefined for a larger file. */
export async function readSmall(file: number): Promise<ReadAt | undefined> {
  const bytes = await readerOf(file)(0, headBytes);
  if (bytes.length === headBytes) return undefined;
  return (position, length) => Promise.resolve(bytes.subarray(position, position + length));
}

/** How much to read at a time from a file of unknown size: most STF files in tests are no larger. */
const wholeBytes = 131_072;

/**
 * Passes all bytes of a file to `take`. Returns their number. A read that returns fewer bytes than
 * requested is the last one.
 */
export async function readAll(read: ReadAt, take: (chunk: Buffer) => unknown) {
  for (let size = 0; ;) {
    const chunk = await read(size, wholeBytes);
    await take(chunk);
    size += chunk.length;
    if (chunk.length < wholeBytes) return size;
  }
}

/**
 * Passes the bytes from `start` to `end` to `take`, in whole frames. Throws an `Error` if the file is
 * shorter.
 */
export async function readRange(
  read: ReadAt,
  { start, end, frameBytes }: { start: number; end: number; frameBytes: number },
  take: (chunk: Buffer) => unknown,
) {
  const wanted = Math.max(1, Math.floor(chunkBytes / frameBytes)) * frameBytes;
  for (let position = start; position < end;) {
    const length = Math.min(wanted, end - position);
    const chunk = await read(position, length);
    if (chunk.length < length) throw new Error(`ends before byte ${position + length}`);
    await take(chunk);
    position += length;
  }
}

/**
 * The index that the file's first frame has or must have; undefined if no frame shows it. It is the first index
 * that two frames agree on, so that one damaged or misplaced frame does not make the others look wrong; if no
 * two agree, the first frame that shows an index decides.
 */
export async function firstIndex(read: ReadAt, frameBytes: number) {
  const candidates = new Set<number>();
  for (let place = 0; ; place += 2) {
    const frames = await read(place * frameBytes, 2 * frameBytes);
    for (let at = 0; at < 2; at += 1) {
      // If the file ends before two frames agree, the first candidate is used.
      if (frames.length < (at + 1) * frameBytes) return [...candidates][0];
      const index = indexOfFrame(frames.subarray(at * frameBytes, (at + 1) * frameBytes), frameBytes);
      if (index === undefined) continue;
      const base = index - place - at;
      if (candidates.has(base)) return base;
      candidates.add(base);
    }
  }
}

/** The name suffix of a file that is still being written. */
export const asideEnding = '.part';

/** Where files are written, and the URLs under which others find them. */
export interface WritePlace {
  folder: string;
  urlOf: (filename: string) => string;
}

/** The address of an unpublished file: its path. */
export const pathAddress = (folder: string) => (filename: string) => pathToFileURL(join(folder, filename)).href;

/**
 * Writes a file under a temporary name. Two processes may write the same file at the same time, each under
 * its own name. Throws `DATA_UNAVAILABLE` if the disk is at fault.
 */
export async function writeAside(
  { folder, urlOf }: WritePlace,
  filename: string,
  produce: (write: (chunk: Uint8Array) => Promise<void>) => Promise<void>,
) {
  const path = join(folder, filename);
  const aside = `${path}.${randomUUID().slice(0, 8)}${asideEnding}`;
  const discard = () => rm(aside, { force: true }).catch(() => {});
  const orDiscarded = async <T>(work: () => Promise<T>) => {
    try {
      return await work();
    } catch (error) {
      await discard();
      throw asDataError(error, path, folder);
    }
  };
  let size_bytes = 0;
  await orDiscarded(() =>
    writeFile(aside, 'w', (file) =>
      produce(async (chunk) => {
        await append(file, chunk);
        size_bytes += chunk.length;
      }),
    ),
  );
  const publish = () =>
    orDiscarded(async () => {
      await rename(aside, path);
      return { size_bytes, file_url: urlOf(filename) };
    });
  return { publish, discard };
}

/**
 * Writes a file under a temporary name, computes its checksum, and publishes it. Throws `DATA_UNAVAILABLE`
 * if the disk is at fault.
 */
export async function writeHashed(place: WritePlace, filename: string, produce: Parameters<typeof writeAside>[2]) {
  const hash = sha256();
  const copy = await writeAside(place, filename, (write) =>
    produce((chunk) => {
      hash.update(chunk);
      return write(chunk);
    }),
  );
  return { ...(await copy.publish()), checksum: `sha256:${hash.digest('hex')}` };
}
