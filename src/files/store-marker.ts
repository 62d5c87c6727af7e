import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { tried } from '../lib/tried.ts';

/** A file in a data folder that names the stores with files there, one per line. */
const markerName = '.swf-mcp-store';

/** Notes that the files of a store are in a folder. Passes on the errors of the file system. */
export function markFolder(folder: string, storeId: string): void {
  if (isMarked(folder, storeId)) return;
  writeFileSync(join(folder, markerName), `${storeId}\n`, { mode: 0o600, flag: 'a' });
}

/** Whether the files of a store are in a folder, seen from this host. */
export const isMarked = (folder: string, storeId: string): boolean =>
  tried(() => readFileSync(join(folder, markerName), 'utf8').split('\n').includes(storeId)) ?? false;
