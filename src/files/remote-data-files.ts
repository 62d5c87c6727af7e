import { join } from 'node:path';

import { verifyFrames } from '../domain/frames.ts';
import { sha256 } from '../lib/sha256.ts';
import type { DataFiles, FramesOfFile } from './data-files.ts';
import type { FetchedFiles, FetchWays } from './fetched-files.ts';
import { chunkBytes, writeHashed, type WritePlace } from './file-io.ts';
import { refusalOf, readByHttp } from './http-reader.ts';

interface RemoteFileOptions {
  /** The address of the file that is read. */
  url: string;
  ways: FetchWays;
  fetched: FetchedFiles;
  /** Where to put files that are fetched whole or made from a fetched file. */
  place: WritePlace;
  local: DataFiles;
  signal: AbortSignal;
}

/** An execution's data files, one of which is on another host: only the needed part of that file is fetched. */
export function createRemoteDataFiles({ url, ways, fetched, place, local, signal }: RemoteFileOptions): DataFiles {
  const isByHttp = ways.command === undefined;
  const bring = async (filename: string) => {
    const file = { url, path: join(place.folder, filename), checksum: undefined };
    if (!(await fetched.bring(file, signal))) throw refusalOf(url, 404);
  };

  async function measureByHttp() {
    const hash = sha256();
    let size_bytes = 0;
    for await (const chunk of readByHttp(ways.sources, url, { start: 0 }, signal)) {
      hash.update(chunk);
      size_bytes += chunk.length;
    }
    return { size_bytes, checksum: `sha256:${hash.digest('hex')}`, file_url: url };
  }

  /** Frames carry their own checksums, which also detect transmission errors. */
  const copyByHttp = (to: string, { first, last, frameBytes }: FramesOfFile) =>
    writeHashed(place, to, async (write) => {
      const range = { start: first * frameBytes, end: (last + 1) * frameBytes };
      let next = first;
      for await (const frames of wholeFrames(readByHttp(ways.sources, url, range, signal), frameBytes)) {
        verifyFrames(frames, next, frameBytes);
        next += frames.length / frameBytes;
        await write(frames);
      }
      if (next !== last + 1) throw new Error(`${url} ends before frame ${next}`);
    });

  return {
    ...local,
    async measure(filename, expected) {
      if (isByHttp) return measureByHttp();
      await bring(filename);
      return { ...(await local.measure(filename, expected)), file_url: url };
    },
    async copyFrames(from, to, range) {
      if (isByHttp) return copyByHttp(to, range);
      await bring(from);
      return local.copyFrames(from, to, range);
    },
  };
}

/** Regroups the bytes into pieces of whole frames. Throws an `Error` if they end within a frame. */
async function* wholeFrames(chunks: AsyncIterable<Uint8Array>, frameBytes: number) {
  const wanted = Math.max(1, Math.floor(chunkBytes / frameBytes)) * frameBytes;
  let pieces: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    pieces.push(chunk);
    length += chunk.length;
    if (length < wanted) continue;
    const all = Buffer.concat(pieces, length);
    const whole = length - (length % frameBytes);
    yield all.subarray(0, whole);
    pieces = [all.subarray(whole)];
    length -= whole;
  }
  if (length % frameBytes !== 0) throw new Error(`it ends inside a frame of ${frameBytes} bytes`);
  if (length > 0) yield Buffer.concat(pieces, length);
}
