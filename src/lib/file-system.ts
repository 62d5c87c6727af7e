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
import { userInfo } from 'node:os';
import { dirname, delimiter, join } from 'node:path';

import { tried } from './tried.ts';

/**
 * Makes a folder and its missing parents, with mode 0700. Node's own recursive way never returns if the
 * system refuses a folder by saying that its parent is missing, as /proc does. Throws the system's errors.
 */
export function makeFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process may have made it meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
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
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** The names in a folder; none if it is missing or cannot be read. */
export const namesIn = (folder: string) => tried(() => readdirSync(folder)) ?? [];

/** The largest size of a configuration, certificate or token list, in bytes. */
const most = 4_000_000;

/**
 * The content and mode of a small file. Does not wait for a pipe in its place, or read a device endlessly.
 * Throws an `Error` that says what is there instead, and the system's errors.
 */
export function readRegularFile(path: string): { content: Buffer; mode: number } {
  if (path === '') throw new Error('no file is named');
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
 * Undefined if it is fine or missing. The administrator's files, and all files used by the administrator, are
 * fine.
 */
export function whyNotOurs(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  const { uid, mode } = stats;
  const ours = userId();
  if (ours !== 0 && uid !== 0 && uid !== ours) return `it belongs to another user (id ${uid})`;
  // In a sticky folder, such as /tmp, users cannot remove each other's files.
  const isOpen = (mode & writtenByAll) !== 0 && (stats.isFile() || (mode & sticky) === 0);
  return isOpen ? `anyone may write to it (mode ${(mode & 0o7777).toString(8)})` : undefined;
}

/** Where the user id has no name, as in containers, a file of the process shows it. */
const userId = () => tried(() => userInfo().uid) ?? statSync('/proc/self').uid;

/** Why a file cannot be run here; undefined if it can. */
export function fileObstacle(file: string): string | undefined {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile() ? undefined : 'is not a file';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist' : 'is not executable';
  }
}

/** The first runnable file of this name in the folders of a PATH; undefined if they have none. */
export const onPath = (name: string, path: string) =>
  path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find((file) => fileObstacle(file) === undefined);
