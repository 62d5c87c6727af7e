import { close, fstat, open, read, write } from 'node:fs';
import { promisify } from 'node:util';

import { indexOfFrame } from '../domain/frames.ts';

/** Bytes that are held in memory at a time, however large a file is. */
export const chunkBytes = 1_048_576;

// Plain descriptors: a `FileHandle` costs several times as much, and there is a file for every slice.
const [openAt, writeAt, readFrom, closeFile] = [promisify(open), promisify(write), promisify(read), promisify(close)];

export const statOf = promisify(fstat);

/** Opens a file (mode 0600 where it is made), works with its descriptor, and closes it. */
export async function inFile<T>(path: string, flags: 'r' | 'w', work: (file: number) => Promise<T>): Promise<T> {
  const file = await openAt(path, flags, 0o600);
  try {
    return await work(file);
  } finally {
    await closeFile(file);
  }
}

/** Appends a whole chunk. */
export async function append(file: number, chunk: Buffer): Promise<void> {
  for (let at = 0; at < chunk.length;) at += (await writeAt(file, chunk, at, chunk.length - at, null)).bytesWritten;
}

/** Gives the bytes from `start` to `end` to `take`, in whole frames. Throws an `Error` if the file is shorter. */
export async function readRange(
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

/**
 * The index that the file's first frame has or must have; undefined where no frame tells it. Two frames must agree on it, where
 * there are two: one damaged or misplaced frame must not make the others wrong.
 */
export async function firstIndex(file: number, frameBytes: number): Promise<number | undefined> {
  const candidates = new Set<number>();
  const frames = Buffer.allocUnsafe(2 * frameBytes);
  for (let place = 0; ; place += 2) {
    const { bytesRead } = await readFrom(file, frames, 0, frames.length, place * frameBytes);
    for (let at = 0; at < 2; at += 1) {
      // At the end of the file the first whole frame alone has to do.
      if (bytesRead < (at + 1) * frameBytes) return [...candidates][0];
      const index = indexOfFrame(frames.subarray(at * frameBytes, (at + 1) * frameBytes), frameBytes);
      if (index === undefined) continue;
      const base = index - place - at;
      if (candidates.has(base)) return base;
      candidates.add(base);
    }
  }
}
