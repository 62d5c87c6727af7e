import { sha256 } from '../lib/sha256.ts';
import { readAll, readerOf, readFile } from './frame-reader.ts';

/** A file's checksum: `sha256:` and 64 hex digits. Passes on the system's errors. */
export async function checksumOf(path: string): Promise<string> {
  const hash = sha256();
  await readFile(path, (file) => readAll(readerOf(file), (chunk) => hash.update(chunk)));
  return `sha256:${hash.digest('hex')}`;
}
