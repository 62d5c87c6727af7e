import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';

import { sha256 } from '../lib/sha256.ts';
import { readAll, readerOf, readFile } from './file-io.ts';

/** The size of an open file, and its checksum: `sha256:` and 64 hex digits. */
export async function digestOf(file: number) {
  const hash = sha256();
  const size_bytes = await readAll(readerOf(file), (chunk) => hash.update(chunk));
  return { size_bytes, checksum: `sha256:${hash.digest('hex')}` };
}

/** A file's checksum. Passes on the system's errors. */
export const checksumOf = async (path: string): Promise<string> => (await readFile(path, digestOf)).checksum;

/** How many checksums to keep. */
const maxKept = 10_000;

export type CheckedFiles = ReturnType<typeof createCheckedFiles>;

/** Checksums of files, each computed once while the file does not change: the slices of a sample share it. */
export function createCheckedFiles() {
  const sums = new Map<string, Promise<string>>();
  return {
    /**
     * Whether a file can be read and has this checksum. No checksum, or one of an unknown kind, fits every
     * file.
     */
    async agrees(path: string, checksum: string | undefined) {
      try {
        if (checksum?.startsWith('sha256:') !== true) {
          await access(path, constants.R_OK);
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
