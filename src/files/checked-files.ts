import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

import { sha256 } from '../lib/sha256.ts';

/** Files whose sums are kept. */
const mostKept = 10_000;

/** Sums of files, each taken once while the file does not change: the slices of a sample share it. */
export class CheckedFiles {
  readonly #sums = new Map<string, Promise<string>>();

  /** Whether a file has this checksum; undefined where it cannot be read, or the sum is of a kind that is not known here. */
  async agrees(path: string, checksum: string): Promise<boolean | undefined> {
    if (!checksum.startsWith('sha256:')) return undefined;
    try {
      const { size, mtimeMs } = await stat(path);
      const key = `${path} ${size} ${mtimeMs}`;
      const known = this.#sums.get(key) ?? sumOf(path);
      if (this.#sums.size >= mostKept) this.#sums.clear();
      this.#sums.set(key, known);
      return (await known) === checksum;
    } catch {
      return undefined;
    }
  }
}

async function sumOf(path: string): Promise<string> {
  const hash = sha256();
  await pipeline(createReadStream(path), hash);
  return `sha256:${hash.digest('hex')}`;
}
