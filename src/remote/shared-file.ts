import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';

import { NoSuchFile, NotFetched } from '../files/file-server-error.ts';
import { pause } from '../lib/deadline.ts';
import type { FilePlace, Reached } from './data-access.ts';

/** How often to look for a missing file, and the pause between looks in milliseconds. */
const maxLooks = 10;
const lookMilliseconds = 500;

/**
 * Resolves when a file in a folder shared with the recorder is readable. Waits for it, since a network disk may show it some seconds late. For a
 * fetched file the fetch does this. Throws `NoSuchFile`, or `NotFetched` if permissions are in the way, which waiting does not fix.
 * @param until aborting one of these ends the wait
 */
export async function seeSharedFile({ folder, bring }: Reached, place: FilePlace, until: AbortSignal[]): Promise<void> {
  const { filename, file_url = filename } = place;
  if (folder === undefined || bring !== undefined || filename === '') return;
  for (let look = 0; ; look += 1) {
    const code = await obstacleTo(join(folder, filename));
    if (code === undefined) return;
    if (code === 'EACCES' || code === 'EPERM')
      throw new NotFetched(file_url, `this user may not read it (${code})`, 'fix its rights');
    if (code !== 'ENOENT' || look === maxLooks || until.some(({ aborted }) => aborted))
      throw new NoSuchFile(file_url, `it is not there (${code})`, 'check whether it is the right folder');
    await pause(lookMilliseconds, until);
  }
}

/** The code of the error that a reader would get. */
const obstacleTo = (path: string): Promise<string | undefined> =>
  access(path, constants.R_OK).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code ?? 'unreadable',
  );
