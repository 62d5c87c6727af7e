import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';

import { checksumOf } from './checksum.ts';

/** How many checksums to keep. */
const maxKept = 10_000;

/** Checksums of files, each computed once while the file does not change: the slices of a sample share it. */
export class CheckedFiles {
  readonly #sums = new Map<string, Promise<string>>();

  /** Whether a file can be read and has this checksum. No checksum, or one of an unknown kind, fits every file. */
  async agrees(path: string, checksum: string | undefined): Promise<boolean> {
    try {
      if (checksum?.startsWith('sha256:') !== true) {
        await access(path, constants.R_OK);
        return true;
      }
      const { size, mtimeMs } = await stat(path);
      const key = `${path} ${size} ${mtimeMs}`;
      const known = this.#sums.get(key) ?? checksumOf(path);
      if (this.#sums.size >= maxKept) this.#sums.clear();
      this.#sums.set(key, known);
      return (await known) === checksum;
    } catch {
      return false;
    }
  }
}
