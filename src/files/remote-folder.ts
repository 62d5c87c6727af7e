import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { makeFolder } from '../lib/make-folder.ts';
import { removeWhole } from './remove-whole.ts';

/** In the folder of an execution that an agent without a store has made. Its time says when the execution was last seen to run. */
const markerName = '.swf-mcp-remote';

const millisecondsAnHour = 3_600_000;

/** Makes the folder of an execution on the host of an agent without a store. Passes on the errors of the file system. */
export function prepareRemoteFolder(dir: string, executionId: string): void {
  const folder = join(dir, executionId);
  if (existsSync(folder)) return;
  makeFolder(dir);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
    throw error;
  }
  writeFileSync(join(folder, markerName), '', { mode: 0o600 });
}

/** Removes the folders that agents without a store have made for executions that have not run for longer. */
export async function removeOldRemoteFolders(
  dir: string,
  { keepHours, isRunning }: { keepHours: number; isRunning: (executionId: string) => boolean },
): Promise<void> {
  const now = Date.now();
  for (const name of existsSync(dir) ? readdirSync(dir) : []) {
    const marker = join(dir, name, markerName);
    const known = statSync(marker, { throwIfNoEntry: false });
    if (known === undefined) continue;
    if (isRunning(name)) utimesSync(marker, now / 1000, now / 1000);
    else if (now - known.mtimeMs > keepHours * millisecondsAnHour) await removeWhole(join(dir, name));
  }
}
