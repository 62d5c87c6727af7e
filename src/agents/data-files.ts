import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { encodeFrames, indexOfFrame, verifyFrames } from '../workflow/frames.ts';

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
}

/** Bytes that are held in memory at a time, however large a file is. */
const chunkBytes = 1_048_576;

/**
 * Files in one folder, which is made with mode 0700. A file is written aside and then renamed, so that a name never stands
 * for half a file. File names come from messages: the vocabulary lets no separator and no leading dot through.
 */
export function createDataFiles(folder: string): DataFiles {
  const pathOf = (filename: string): string => join(folder, filename);
  let made: Promise<unknown> | undefined;

  const write = async (filename: string, produce: (file: FileHandle) => Promise<void>): Promise<FileFacts> => {
    made ??= mkdir(folder, { recursive: true, mode: 0o700 });
    await made;
    const path = pathOf(filename);
    const file = await open(`${path}.part`, 'w', 0o600);
    let size_bytes: number;
    try {
      await produce(file);
      size_bytes = (await file.stat()).size;
    } finally {
      await file.close();
    }
    await rename(`${path}.part`, path);
    return { size_bytes, file_url: pathToFileURL(path).href };
  };

  return {
    writeStf: ({ filename, run, sequence, tf_count, frameBytes }) =>
      write(filename, async (file) => {
        const each = Math.max(1, Math.floor(chunkBytes / frameBytes));
        for (let first = 0; first < tf_count; first += each) {
          const count = Math.min(each, tf_count - first);
          await file.write(encodeFrames({ run, sequence }, first, count, frameBytes));
        }
      }),

    async measure(filename) {
      const path = pathOf(filename);
      const { size } = await stat(path);
      const hash = createHash('sha256');
      for await (const chunk of createReadStream(path, { highWaterMark: chunkBytes })) hash.update(chunk as Buffer);
      return { size_bytes: size, checksum: `sha256:${hash.digest('hex')}`, file_url: pathToFileURL(path).href };
    },

    async copyFrames(from, to, { first, last, frameBytes }) {
      const source = await open(pathOf(from), 'r');
      try {
        return await write(to, async (target) => {
          await readRange(source, first * frameBytes, (last + 1) * frameBytes, frameBytes, (chunk) =>
            target.write(chunk),
          );
        });
      } finally {
        await source.close();
      }
    },

    async verify(filename, { first, last, frameBytes }) {
      const file = await open(pathOf(filename), 'r');
      try {
        const base = await firstIndex(file, frameBytes);
        if (base === undefined || first < base) throw new Error(`${filename} does not hold frame ${first}`);
        let next = first;
        await readRange(file, (first - base) * frameBytes, (last + 1 - base) * frameBytes, frameBytes, (chunk) => {
          verifyFrames(chunk, next, frameBytes);
          next += chunk.length / frameBytes;
        });
      } finally {
        await file.close();
      }
    },
  };
}

/** The index that the file's first frame has or, where that frame is damaged, must have by the first one that is whole. */
async function firstIndex(file: FileHandle, frameBytes: number): Promise<number | undefined> {
  const frame = Buffer.alloc(frameBytes);
  for (let place = 0; ; place += 1) {
    const { bytesRead } = await file.read(frame, 0, frameBytes, place * frameBytes);
    if (bytesRead < frameBytes) return undefined;
    const index = indexOfFrame(frame, frameBytes);
    if (index !== undefined) return index - place;
  }
}

/** Gives the bytes from `start` to `end` to `take`, in whole frames. Throws an `Error` if the file is shorter. */
async function readRange(
  file: FileHandle,
  start: number,
  end: number,
  frameBytes: number,
  take: (chunk: Buffer) => unknown,
): Promise<void> {
  const wanted = Math.max(1, Math.floor(chunkBytes / frameBytes)) * frameBytes;
  for (let position = start; position < end;) {
    const length = Math.min(wanted, end - position);
    const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, position);
    if (bytesRead < length) throw new Error(`ends before byte ${position + length}`);
    await take(buffer);
    position += length;
  }
}

/** For `write_files = false`: nothing is written, sizes are those that files would have, and there is no checksum. */
export const noDataFiles: DataFiles = {
  writeStf: ({ tf_count, frameBytes }) => Promise.resolve({ size_bytes: tf_count * frameBytes }),
  measure: (_, { tf_count, frameBytes }) => Promise.resolve({ size_bytes: tf_count * frameBytes }),
  copyFrames: (_, __, { first, last, frameBytes }) => Promise.resolve({ size_bytes: (last + 1 - first) * frameBytes }),
  verify: () => Promise.resolve(),
};
