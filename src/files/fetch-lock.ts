import { readFile, rm, stat, writeFile } from 'node:fs/promises';

import { pause } from '../lib/deadline.ts';
import { currentProcess, isAlive, type ProcessIdentity } from '../lib/process-identity.ts';

/** How often it is looked whether another process is done, in milliseconds. */
const lookMilliseconds = 200;

/** A lock of a process that cannot be asked for is given up after so long, in milliseconds. */
const oldMilliseconds = 300_000;

/**
 * Does `work` while no other process of this host does the same for this path: several worker processes share their files. The lock is a file
 * beside it that names its holder; one whose holder has died counts for nothing. Passes on the errors of the file system.
 */
export async function withFetchLock<T>(path: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const lock = `${path}.fetching`;
  while (!(await take(lock))) {
    signal.throwIfAborted();
    if (await isLeft(lock)) await rm(lock, { force: true });
    else await pause(lookMilliseconds, [signal]);
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

async function take(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, JSON.stringify(currentProcess()), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function isLeft(lock: string): Promise<boolean> {
  try {
    const { mtimeMs } = await stat(lock);
    if (Date.now() - mtimeMs > oldMilliseconds) return true;
    return isAlive(JSON.parse(await readFile(lock, 'utf8')) as ProcessIdentity) === false;
  } catch {
    // It is gone, or its holder is writing it.
    return false;
  }
}
