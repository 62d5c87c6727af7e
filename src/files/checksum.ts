import { sha256 } from '../lib/sha256.ts';
import { readAll, readerOf, readFile } from './frame-reader.ts';

/** The size of an open file, and its checksum: `sha256:` and 64 hex digits. */
export async function digestOf(file: number): Promise<{ size_bytes: number; checksum: string }> {
  const hash = sha256();
  const size_bytes = await readAll(readerOf(file), (chunk) => hash.update(chunk));
  return { size_bytes, checksum: `sha256:${hash.digest('hex')}` };
}

/** A file's checksum. Passes on the system's errors. */
export const checksumOf = async (path: string): Promise<string> => (await readFile(path, digestOf)).checksum;
