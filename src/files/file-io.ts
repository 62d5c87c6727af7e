import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

import { indexOfFrame } from '../domain/frames.ts';
import { sha256 } from '../lib/sha256.ts';
import { asDataError } from './data-files.ts';

/** Bytes held in memory at a time, however large a file is. */
export const chunkBytes = 1_048_576;

// Plain descriptors: a `FileHandle` costs several times as much, and there is a file for every slice.
const openAt = promisify(fs.open);
const writeAt = promisify(fs.write);
const readFrom = promisify(fs.read);
const closeFile = promisify(fs.close);

/**
 * Opens a regular file, reads it by its descriptor, and closes it. Throws an `Error` for a pipe, a device or
 * anything else. Does not wait for the close, which says nothing about the data read.
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
 * Makes a file (mode 0600), or empties it (`w`) or extends it (`a`), writes by its descriptor, and closes it.
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
 * How much of a file's beginning to read at once: most samples are no larger, and a read costs more than its
 * bytes.
 */
const headBytes = 16_384;

/** A reader of a small file that needs no more reads; undefined for a larger one. */
export async function readSmall(file: number): Promise<ReadAt | undefined> {
  const bytes = await readerOf(file)(0, headBytes);
  if (bytes.length === headBytes) return undefined;
  return (position, length) => Promise.resolve(bytes.subarray(position, position + length));
}

/** How much to read at a time from a file of unknown size: most STFs of a test are no larger. */
const wholeBytes = 131_072;

/** Passes all bytes of a file to `take`. Returns their number. A short read is the last one. */
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
 * The index that the file's first frame has or must have; undefined if no frame shows it. Two frames must
 * agree on it, if there are two: one damaged or misplaced frame must not make the others wrong.
 */
export async function firstIndex(read: ReadAt, frameBytes: number) {
  const candidates = new Set<number>();
  for (let place = 0; ; place += 2) {
    const frames = await read(place * frameBytes, 2 * frameBytes);
    for (let at = 0; at < 2; at += 1) {
      // At the end of the file, the first whole frame alone is enough.
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

/** Where files are written, and how others know them. */
export interface WritePlace {
  folder: string;
  urlOf: (filename: string) => string;
}

/** The address of an unpublished file: its path. */
export const pathAddress = (folder: string) => (filename: string) => pathToFileURL(join(folder, filename)).href;

/**
 * Writes a file aside. Two processes may write the same file at the same time, each under its own name.
 * Throws `DATA_UNAVAILABLE` if the disk is at fault.
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
 * Writes a file aside, with its checksum, and publishes it. Throws `DATA_UNAVAILABLE` if the disk is at
 * fault.
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
