import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';

import { temporaryFolder } from '../folder.ts';

/** The versions of which there is a store, oldest first. `make.js` made them. */
export const storedVersions = readdirSync(import.meta.dirname)
  .flatMap((name) => /^(\d+)\.db\.br$/.exec(name)?.slice(1).map(Number) ?? [])
  .toSorted((a, b) => a - b);

/** A store that an earlier version made, in a folder of its own. Returns the folder. */
export function olderStore(version: number): string {
  const folder = temporaryFolder();
  const bytes = readFileSync(join(import.meta.dirname, `${version}.db.br`));
  writeFileSync(join(folder, 'swf.db'), brotliDecompressSync(bytes), { mode: 0o600 });
  return folder;
}
