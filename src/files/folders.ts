import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { hasCode } from '../lib/errors.ts';
import { makeFolder } from '../lib/file-system.ts';
import { tried } from '../lib/tried.ts';

/**
 * Marks an execution's folder that was made by an agent without a store. Its modification time says when
 * the execution was last seen; its content says whether it was running or had ended.
 */
const remoteMarker = '.swf-mcp-remote';
const ended = 'ended\n';

const millisecondsAnHour = 3_600_000;

/**
 * While a recorder is away, the ends of its executions are not reported, and the files on this host may be the
 * only copies. So these files are kept this many times longer.
 */
const unendedFactor = 10;
const unendedHours = 720;

/**
 * Makes the folder of an execution on the host of an agent without a store. Throws file system errors.
 */
export function prepareRemoteFolder(dir: string, executionId: string) {
  const folder = join(dir, executionId);
  if (existsSync(folder)) return;
  makeFolder(dir);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return;
    throw error;
  }
  writeFileSync(join(folder, remoteMarker), '', { mode: 0o600 });
}

/** Whether an agent without a store made an execution's folder. If so, the files can be fetched again. */
export const isRemoteFolder = (dir: string, executionId: string) => existsSync(join(dir, executionId, remoteMarker));

/** Records that an execution has ended, so that its files are removed after a while. */
export function noteRemoteEnd(dir: string, executionId: string) {
  const marker = join(dir, executionId, remoteMarker);
  if (existsSync(marker) && readFileSync(marker, 'utf8') !== ended) writeFileSync(marker, ended);
}

interface Keeping {
  hours: number;
  isRunning: (executionId: string) => boolean;
}

/**
 * Removes the folders made by agents without a store, once these folders have been kept long enough. Tries all
 * of them before throwing the first error.
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

/** Marks a folder as containing files of a store. Throws file system errors. */
export function markFolder(folder: string, storeId: string) {
  if (isMarked(folder, storeId)) return;
  writeFileSync(join(folder, storeMarker), `${storeId}\n`, { mode: 0o600, flag: 'a' });
}

/** Whether the files of a store are in a folder, as seen from this host. */
export const isMarked = (folder: string, storeId: string) =>
  tried(() => readFileSync(join(folder, storeMarker), 'utf8').split('\n').includes(storeId)) ?? false;

const run = promisify(execFile);

/**
 * Removes a folder and its contents, if it exists. If a payload has nested folders deeper than a path can name,
 * uses the system's `rm`, which descends step by step. Throws the system's errors.
 */
export async function removeWhole(folder: string) {
  try {
    await rm(folder, { recursive: true, force: true });
  } catch (error) {
    if (!hasCode(error, 'ENAMETOOLONG')) throw error;
    await run('rm', ['-rf', '--', folder]);
  }
}
