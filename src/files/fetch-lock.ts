import { randomUUID } from 'node:crypto';
import { readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';

import { pause } from '../lib/deadline.ts';
import { currentProcess, isAlive, type ProcessIdentity } from '../lib/process-identity.ts';

/** How often to check whether another process is done, in milliseconds. */
const lookMilliseconds = 200;

/** How often a holder shows that it lives, and after how much silence a holder that cannot be checked loses the lock, in milliseconds. */
const signMilliseconds = 60_000;
const silentMilliseconds = 300_000;

/**
 * Does `work` while no other process does the same for this path: several worker processes share their files. The lock is a file beside the path that
 * names its holder; a dead holder's lock is void. Throws the file system's errors.
 */
export async function withFetchLock<T>(path: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const lock = `${path}.fetching`;
  const own = JSON.stringify({ ...currentProcess(), key: randomUUID() });
  while (!(await take(lock, own))) {
    signal.throwIfAborted();
    if (await isLeft(lock)) await remove(lock);
    else await pause(lookMilliseconds, [signal]);
  }
  const sign = setInterval(() => void utimes(lock, new Date(), new Date()).catch(() => {}), signMilliseconds);
  try {
    return await work();
  } finally {
    clearInterval(sign);
    if ((await readFile(lock, 'utf8').catch(() => '')) === own) await rm(lock, { force: true });
  }
}

async function take(lock: string, own: string): Promise<boolean> {
  try {
    await writeFile(lock, own, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function isLeft(lock: string): Promise<boolean> {
  try {
    const { mtimeMs } = await stat(lock);
    const alive = isAlive(JSON.parse(await readFile(lock, 'utf8')) as ProcessIdentity);
    return alive === false || (alive === undefined && Date.now() - mtimeMs > silentMilliseconds);
  } catch {
    // It is gone, or its holder is writing it.
    return false;
  }
}

/** How long to wait at a time while another process removes an abandoned lock, and after how long that process counts as dead. Milliseconds. */
const [guardMilliseconds, diedMilliseconds] = [10, 10_000];

/** Lets one of many processes remove an abandoned lock, so that it is the abandoned lock that goes, not the next holder's. */
async function remove(lock: string): Promise<void> {
  const guard = `${lock}.left`;
  if (!(await take(guard, ''))) {
    const { mtimeMs } = await stat(guard).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > diedMilliseconds) await rm(guard, { force: true });
    await pause(guardMilliseconds);
    return;
  }
  try {
    if (await isLeft(lock)) await rm(lock, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}
