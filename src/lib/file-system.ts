import { randomUUID } from 'node:crypto';
import {
  mkdirSync,
  statSync,
  accessSync,
  readdirSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  statfsSync,
} from 'node:fs';
import { open, readFile, rm, stat, utimes } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname, delimiter, join } from 'node:path';

import { pause } from './deadline.ts';
import { hasCode } from './errors.ts';
import { currentProcess, isAlive, type ProcessIdentity } from './process-identity.ts';
import { objectIn } from './read-json.ts';
import { tried } from './tried.ts';

/**
 * Makes a folder and its missing parents, with mode 0700. Node's recursive `mkdir` never returns if the system
 * refuses a folder by claiming that its parent is missing, as /proc does. Throws the system's errors.
 */
export function makeFolder(path: string) {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process may have made the folder in the meantime.
    if (!hasCode(error, 'EEXIST')) throw error;
  }
}

/** Whether this process may use a file or folder. @param mode an access mode of `node:fs` */
export const canAccess = (path: string, mode: number) =>
  tried(() => {
    accessSync(path, mode);
    return true;
  }) ?? false;

/**
 * Free bytes on the disk of a folder, for processes without special privileges. Throws the system's errors.
 */
export function freeBytes(folder: string) {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** The names in a folder; none if it is missing or cannot be read. */
export const namesIn = (folder: string) => tried(() => readdirSync(folder)) ?? [];

/** The largest size of a configuration, certificate or token list, in bytes. */
const most = 4_000_000;

/**
 * Reads the content and mode of a small file. If something else is there, such as a pipe or a device, throws an
 * `Error` that says what it is, without waiting or reading endlessly. Also throws the system's errors.
 */
export function readRegularFile(path: string): { content: Buffer; mode: number } {
  if (path === '') throw new Error('the file name is empty');
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) throw new Error(stats.isDirectory() ? 'it is a folder' : 'it is not a regular file');
    if (stats.size > most) throw new Error(`it has ${stats.size} bytes, more than ${most}`);
    return { content: readFileSync(file), mode: stats.mode };
  } finally {
    closeSync(file);
  }
}

/** Bits of a file's mode. */
const writtenByAll = 0o002;
const sticky = 0o1000;

/**
 * Why a file or folder must not be trusted with this process's output: another user could change it.
 * Undefined if it is fine or missing. A file that belongs to the administrator is fine, and so is any file
 * if this process is the administrator's.
 */
export function whyNotOurs(path: string) {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  const { uid, mode } = stats;
  const ours = userId();
  if (ours !== 0 && uid !== 0 && uid !== ours) return `it belongs to another user (id ${uid})`;
  // In a sticky folder, such as /tmp, users cannot remove each other's files.
  const isOpen = (mode & writtenByAll) !== 0 && (stats.isFile() || (mode & sticky) === 0);
  return isOpen ? `anyone may write to it (mode ${(mode & 0o7777).toString(8)})` : undefined;
}

/** A user id may have no name, as in containers; then `/proc/self` shows the id. */
const userId = () => tried(() => userInfo().uid) ?? statSync('/proc/self').uid;

/** Why a file cannot be run here; undefined if it can. */
export function fileObstacle(file: string) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile() ? undefined : 'is not a file';
  } catch (error) {
    return hasCode(error, 'ENOENT') ? 'does not exist' : 'is not executable';
  }
}

/** The first runnable file of this name in the folders of a PATH; undefined if there is none. */
export const onPath = (name: string, path: string) =>
  path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find((file) => fileObstacle(file) === undefined);

/**
 * Takes a lock shared by processes on several hosts: a file that names the holder. The holder touches the file
 * as long as it holds the lock. The lock of a dead holder is void. Throws the system's errors.
 * @param silentMilliseconds after this time without a touch, a holder that cannot be checked loses the lock
 * @returns a function that releases the lock; undefined if another process holds it
 */
export async function takeLock(path: string, silentMilliseconds: number) {
  const own = JSON.stringify({ ...currentProcess(), key: randomUUID() });
  if (!(await create(path, own))) {
    if (await isLeft(path, silentMilliseconds)) await removeLeft(path, silentMilliseconds);
    if (!(await create(path, own))) return undefined;
  }
  const touch = () => void utimes(path, new Date(), new Date()).catch(() => {});
  const timer = setInterval(touch, silentMilliseconds / 6).unref();
  return async () => {
    clearInterval(timer);
    if ((await readFile(path, 'utf8').catch(() => '')) === own) await rm(path, { force: true }).catch(() => {});
  };
}

/** The process that the text of a lock names; undefined if the text is incomplete. */
function holderIn(text: string) {
  const { pid, pid_started, hostname } = objectIn(text) as Partial<ProcessIdentity>;
  const isComplete = Number.isInteger(pid) && typeof pid_started === 'string' && typeof hostname === 'string';
  return isComplete && pid !== undefined && pid > 0 ? { pid, pid_started, hostname } : undefined;
}

/** The process that a lock names; undefined if the lock is incomplete or cannot be read. */
export const holderOf = async (path: string) => holderIn(await readFile(path, 'utf8').catch(() => ''));

async function create(path: string, content: string) {
  const file = await open(path, 'wx', 0o600).catch((error: unknown) => {
    if (hasCode(error, 'EEXIST')) return undefined;
    throw error;
  });
  if (file === undefined) return false;
  try {
    await file.writeFile(content);
    return true;
  } catch (error) {
    // A full disk leaves a file without its content.
    await rm(path, { force: true }).catch(() => {});
    throw error;
  } finally {
    await file.close();
  }
}

/**
 * A lock that has named no holder for this many milliseconds was left by a crash: it is no longer being
 * written.
 */
const tornMilliseconds = 10_000;

async function isLeft(path: string, silentMilliseconds: number) {
  try {
    const age = Date.now() - (await stat(path)).mtimeMs;
    const holder = holderIn(await readFile(path, 'utf8'));
    if (holder === undefined) return age > tornMilliseconds;
    // A process on another host, or on this one before a reboot, cannot be seen from here.
    return !(isAlive(holder) ?? age <= silentMilliseconds);
  } catch {
    // The lock is gone, or cannot be read now, such as the lock of another user.
    return false;
  }
}

/** How long to wait, in milliseconds, while another process removes a lock. */
const guardMilliseconds = 10;

/** Lets only one process remove a leftover lock: a second process would remove the next holder's lock. */
async function removeLeft(path: string, silentMilliseconds: number) {
  const guard = `${path}.left`;
  if (!(await create(guard, ''))) {
    if (await isLeft(guard, silentMilliseconds)) await rm(guard, { force: true });
    return pause(guardMilliseconds);
  }
  try {
    if (await isLeft(path, silentMilliseconds)) await rm(path, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}
