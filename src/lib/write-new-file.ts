import { randomBytes } from 'node:crypto';
import { copyFileSync, constants, linkSync, lstatSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { argumentInvalid, dataUnavailable, hasCode, messageOf, SwfError } from './errors.ts';
import { tried } from './tried.ts';

/**
 * Writes a file whole or not at all, with mode 0600: writes it under a temporary name in the same folder,
 * then moves it. Does not write to a pipe or link. Throws `ARGUMENT_INVALID` if something is there that
 * must not be replaced, `DATA_UNAVAILABLE` if the file cannot be written.
 * @param replaces whether to replace an existing file
 */
export function writeNewFile(path: string, text: string, replaces: boolean) {
  const part = join(dirname(path), `.${randomBytes(6).toString('hex')}.part`);
  try {
    const there = lstatSync(path, { throwIfNoEntry: false });
    if (there !== undefined && !replaces) throw isThere(path);
    if (there?.isFile() === false)
      throw argumentInvalid(`${path} is not a plain file, so it is not replaced; give another file`);
    writeFileSync(part, text, { flag: 'wx', mode: 0o600 });
    if (replaces) renameSync(part, path);
    else moveToFree(part, path);
  } catch (error) {
    if (error instanceof SwfError) throw error;
    if (hasCode(error, 'EEXIST')) throw isThere(path);
    throw dataUnavailable(`${path} cannot be written (${messageOf(error)}); give another file`, { cause: error });
  } finally {
    removeIfThere(part);
  }
}

const isThere = (path: string) =>
  argumentInvalid(`${path} already exists; give another file, or --force to overwrite it`);

/** Moves a file to an unused name. On a file system without hard links, copies it. */
function moveToFree(part: string, path: string) {
  try {
    linkSync(part, path);
  } catch (error) {
    if (hasCode(error, 'EEXIST')) throw error;
    copyFileSync(part, path, constants.COPYFILE_EXCL);
  }
}

/**
 * Removes a leftover file. Ignores errors, such as a name that is too long or a missing folder: an earlier
 * error says what went wrong.
 */
export const removeIfThere = (path: string) => tried(() => rmSync(path, { force: true }));
