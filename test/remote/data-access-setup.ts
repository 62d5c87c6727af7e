import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { markFolder } from '../../src/files/folders.ts';
import { type Access, type AccessOptions, createDataAccess, type FilePlace } from '../../src/remote/data-access.ts';
import { temporaryFolder } from '../folder.ts';
import { execution_id } from './line.ts';

export type Data = Partial<AccessOptions['data']>;

export const filename = 'a.stf';
export const here = `file:///srv/data/${execution_id}/${filename}`;
export const there = `http://there:1/data/${execution_id}/${filename}`;

/** The data access of an agent on this host. */
export function access(data: Data, environment: NodeJS.ProcessEnv = {}) {
  const [draining, stopped] = [new AbortController(), new AbortController()];
  const options = {
    data: { keep_hours: 1, ...data },
    environment,
    draining: draining.signal,
    stopped: stopped.signal,
  };
  return { access: createDataAccess(options), drain: () => draining.abort() };
}

export const place = (file_url: string | undefined, more: Partial<FilePlace> = {}): FilePlace => ({
  execution_id,
  filename,
  file_url,
  storeId: 's1',
  ...more,
});

/** A folder with the file, marked as that of this store. */
export function folderWith(storeId: string | undefined = 's1'): string {
  const dir = temporaryFolder();
  mkdirSync(join(dir, execution_id));
  writeFileSync(join(dir, execution_id, filename), 'recorded');
  if (storeId !== undefined) markFolder(dir, storeId);
  return dir;
}

type Reached = Exclude<Access, { obstacle: string }>;
export const reached = (found: Access): Reached => {
  if ('obstacle' in found) throw new Error(found.obstacle);
  return found;
};
