import { randomUUID } from 'node:crypto';
import { linkSync, lstatSync, renameSync, rmSync, writeFileSync } from 'node:fs';

import { messageOf, SwfError } from './errors.ts';

/**
 * Writes a file whole or not at all, with mode 0600: it is made beside its place and moved there. A pipe or a link is not written to. Throws
 * `ARGUMENT_INVALID` where something is there that is not to be replaced, `DATA_UNAVAILABLE` where it cannot be written.
 * @param replaces whether a file that is there gives way
 */
export function writeNewFile(path: string, text: string, replaces: boolean): void {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there !== undefined && replaces && !there.isFile())
    throw new SwfError('ARGUMENT_INVALID', `${path} is not a plain file, so it is not replaced; give another file`);
  const part = `${path}.${randomUUID()}.part`;
  try {
    writeFileSync(part, text, { flag: 'wx', mode: 0o600 });
    if (replaces) renameSync(part, path);
    else linkSync(part, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      throw new SwfError('ARGUMENT_INVALID', `${path} is there already; give another file, or --force to replace it`, {
        cause: error,
      });
    throw new SwfError('DATA_UNAVAILABLE', `${path} cannot be written (${messageOf(error)}); give another file`, {
      cause: error,
    });
  } finally {
    rmSync(part, { force: true });
  }
}
