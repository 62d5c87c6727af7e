import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { makeFolder } from '../lib/make-folder.ts';
import { removeWhole } from './remove-whole.ts';

/**
 * In the folder of an execution that an agent without a store has made. Its time says when the execution was last seen to run, or has ended, and its
 * content which of the two.
 */
const markerName = '.swf-mcp-remote';
const ended = 'ended\n';

const millisecondsAnHour = 3_600_000;

/** Nobody says that an execution has ended while its recorder is away, and its files may be the only ones: they are kept for so much longer. */
const unendedFactor = 10;
const unendedHours = 720;

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

/** Whether an agent without a store has made the folder of an execution: what is in it may be fetched again. */
export const isRemoteFolder = (dir: string, executionId: string): boolean =>
  existsSync(join(dir, executionId, markerName));

/** Notes that an execution has ended: its files go in a while. */
export function noteRemoteEnd(dir: string, executionId: string): void {
  const marker = join(dir, executionId, markerName);
  if (existsSync(marker) && readFileSync(marker, 'utf8') !== ended) writeFileSync(marker, ended);
}

export interface Keeping {
  hours: number;
  isRunning: (executionId: string) => boolean;
}

/** Removes the folders that agents without a store have made and that were kept long enough. Throws the first error, when all were looked at. */
export async function removeOldRemoteFolders(dir: string, keeping: Keeping): Promise<void> {
  const folders = existsSync(dir) ? readdirSync(dir, { withFileTypes: true }).filter((one) => one.isDirectory()) : [];
  const errors: unknown[] = [];
  for (const { name } of folders)
    await removeWhereOld(dir, name, keeping).catch((error: unknown) => void errors.push(error));
  if (errors.length > 0) throw errors[0];
}

async function removeWhereOld(dir: string, name: string, { hours, isRunning }: Keeping): Promise<void> {
  const marker = join(dir, name, markerName);
  const now = Date.now();
  const known = statSync(marker, { throwIfNoEntry: false });
  if (known === undefined) return;
  if (isRunning(name)) {
    utimesSync(marker, now / 1000, now / 1000);
    return;
  }
  const kept = readFileSync(marker, 'utf8') === ended ? hours : Math.max(unendedHours, unendedFactor * hours);
  if (now - known.mtimeMs > kept * millisecondsAnHour) await removeWhole(join(dir, name));
}
