import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';

import { NoSuchFile, NotFetched } from '../files/file-server-error.ts';
import { pause } from '../lib/deadline.ts';
import type { Access, FilePlace } from './data-access.ts';

/** A file that is not there yet is looked for so often, and so long in between, in milliseconds. */
const mostLooks = 10;
const lookMilliseconds = 500;

/**
 * Resolves when a file of a folder that is shared with the recorder can be read. A network disk may show it some seconds late, which is waited for. Of a
 * file that is fetched the fetch tells it. Throws `NoSuchFile`, or `NotFetched` where the rights are in the way, which no waiting mends.
 * @param until where one of these is aborted, nobody waits any more
 */
export async function seeSharedFile(
  { folder, bring }: Exclude<Access, { obstacle: string }>,
  { filename, file_url = filename }: FilePlace,
  until: AbortSignal[],
): Promise<void> {
  if (folder === undefined || bring !== undefined || filename === '') return;
  for (let look = 0; ; look += 1) {
    const code = await obstacleTo(join(folder, filename));
    if (code === undefined) return;
    if (code === 'EACCES' || code === 'EPERM')
      throw new NotFetched(file_url, `this user may not read it (${code})`, 'mend its rights');
    if (code !== 'ENOENT' || look === mostLooks || until.some(({ aborted }) => aborted))
      throw new NoSuchFile(file_url, `it is not there (${code})`, 'look whether the folder is the right one');
    await pause(lookMilliseconds, until);
  }
}

/** The code of the error that a reader would get. */
const obstacleTo = (path: string): Promise<string | undefined> =>
  access(path, constants.R_OK).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code ?? 'unreadable',
  );
