import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { makeFolder } from '../lib/file-system.ts';
import { tried } from '../lib/tried.ts';

/**
 * Marks an execution's folder made by an agent without a store. Its time says when the execution was last
 * seen running or ended, its content says which.
 */
const remoteMarker = '.swf-mcp-remote';
const ended = 'ended\n';

const millisecondsAnHour = 3_600_000;

/**
 * While a recorder is away the end of its executions is not reported, and the files may be the only copies:
 * they are kept this much longer.
 */
const unendedFactor = 10;
const unendedHours = 720;

/**
 * Makes the folder of an execution on the host of an agent without a store. Passes on the errors of the file
 * system.
 */
export function prepareRemoteFolder(dir: string, executionId: string) {
  const folder = join(dir, executionId);
  if (existsSync(folder)) return;
  makeFolder(dir);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
    throw error;
  }
  writeFileSync(join(folder, remoteMarker), '', { mode: 0o600 });
}

/** Whether an agent without a store made an execution's folder: its files may be fetched again. */
export const isRemoteFolder = (dir: string, executionId: string) => existsSync(join(dir, executionId, remoteMarker));

/** Notes that an execution has ended: its files are removed after a while. */
export function noteRemoteEnd(dir: string, executionId: string) {
  const marker = join(dir, executionId, remoteMarker);
  if (existsSync(marker) && readFileSync(marker, 'utf8') !== ended) writeFileSync(marker, ended);
}

interface Keeping {
  hours: number;
  isRunning: (executionId: string) => boolean;
}

/**
 * Removes folders that agents without a store made and that were kept long enough. Throws the first error
 * after checking all.
 */
export async function removeOldRemoteFolders(dir: string, keeping: Keeping) {
  const folders = existsSync(dir) ? readdirSync(dir, { withFileTypes: true }).filter((one) => one.isDirectory()) : [];
  const errors: unknown[] = [];
  for (const { name } of folders)
    await removeWhereOld(dir, name, keeping).catch((error: unknown) => void errors.push(error));
  if (errors.length > 0) throw errors[0];
}

async function removeWhereOld(dir: string, name: string, { hours, isRunning }: Keeping) {
  const marker = join(dir, name, remoteMarker);
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

/** A file in a data folder that names the stores with files there, one per line. */
const storeMarker = '.swf-mcp-store';

/** Notes that the files of a store are in a folder. Passes on the errors of the file system. */
export function markFolder(folder: string, storeId: string) {
  if (isMarked(folder, storeId)) return;
  writeFileSync(join(folder, storeMarker), `${storeId}\n`, { mode: 0o600, flag: 'a' });
}

/** Whether the files of a store are in a folder, seen from this host. */
export const isMarked = (folder: string, storeId: string) =>
  tried(() => readFileSync(join(folder, storeMarker), 'utf8').split('\n').includes(storeId)) ?? false;

const run = promisify(execFile);

/**
 * Removes a folder and its contents, if it exists. A payload can nest folders deeper than a path can name:
 * the system's own tool descends step by step. Throws the system's errors.
 */
export async function removeWhole(folder: string) {
  try {
    await rm(folder, { recursive: true, force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENAMETOOLONG') throw error;
    await run('rm', ['-rf', '--', folder]);
  }
}
