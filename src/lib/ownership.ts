import { statSync } from 'node:fs';
import { userInfo } from 'node:os';

import { tried } from './tried.ts';

/** Bits of a file's mode. */
const writtenByAll = 0o002;
const sticky = 0o1000;

/**
 * Why a file or folder must not be trusted with this process's output: somebody else could change it. Undefined if it is fine or missing. The
 * administrator's files, and all files used by the administrator, are fine.
 */
export function whyNotOurs(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  const { uid, mode } = stats;
  const ours = userId();
  if (ours !== 0 && uid !== 0 && uid !== ours) return `it belongs to another user (id ${uid})`;
  // In a sticky folder, such as /tmp, nobody can remove another's files.
  const isOpen = (mode & writtenByAll) !== 0 && (stats.isFile() || (mode & sticky) === 0);
  return isOpen ? `everybody may write it (mode ${(mode & 0o7777).toString(8)})` : undefined;
}

/** Where the user id has no name, as in containers, a file of the process tells it. */
const userId = (): number => tried(() => userInfo().uid) ?? statSync('/proc/self').uid;
