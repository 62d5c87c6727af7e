import { randomUUID } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { asDataError } from './data-errors.ts';
import type { FileFacts, PreparedFile } from './data-files.ts';
import { append, writeFile } from './frame-reader.ts';

/** The name suffix of a file that is still being written. */
export const asideEnding = '.part';

/** Where files are written, and how others know them. */
export interface WritePlace {
  folder: string;
  urlOf: (filename: string) => string;
}

/** The address of an unpublished file: its path. */
export const pathAddress =
  (folder: string) =>
  (filename: string): string =>
    pathToFileURL(join(folder, filename)).href;

/** Writes a file aside. Two processes may write the same file at the same time, each under its own name. Throws `DATA_UNAVAILABLE` if the disk is at fault. */
export async function writeAside(
  { folder, urlOf }: WritePlace,
  filename: string,
  produce: (write: (chunk: Uint8Array) => Promise<void>) => Promise<void>,
): Promise<PreparedFile> {
  const path = join(folder, filename);
  const aside = `${path}.${randomUUID().slice(0, 8)}${asideEnding}`;
  const discard = (): Promise<void> => rm(aside, { force: true }).catch(() => {});
  const orDiscarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      await discard();
      throw asDataError(error, path, folder);
    }
  };
  let size_bytes = 0;
  await orDiscarded(() =>
    writeFile(aside, 'w', (file) =>
      produce(async (chunk) => {
        await append(file, chunk);
        size_bytes += chunk.length;
      }),
    ),
  );
  const publish = (): Promise<FileFacts> =>
    orDiscarded(async () => {
      await rename(aside, path);
      return { size_bytes, file_url: urlOf(filename) };
    });
  return { publish, discard };
}
