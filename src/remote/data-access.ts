import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { statfs, access } from 'node:fs/promises';
import { join } from 'node:path';

import { fileAddressOf, isBelow, isElsewhere, originOf } from '../domain/file-address.ts';
import type { ExecutionParams } from '../domain/params.ts';
import { asDataError, type DataFiles, noDataFiles } from '../files/data-files.ts';
import { createDataFiles } from '../files/disk-data-files.ts';
import { createFetchedFiles, type FetchWays } from '../files/fetched-files.ts';
import { createCheckedFiles, pathAddress, type WritePlace } from '../files/file-io.ts';
import {
  isRemoteFolder,
  noteRemoteEnd,
  prepareRemoteFolder,
  removeOldRemoteFolders,
  isMarked,
} from '../files/folders.ts';
import { isReachable, NoSuchFile, NotFetched } from '../files/http-reader.ts';
import { createRemoteDataFiles } from '../files/remote-data-files.ts';
import { pause } from '../lib/deadline.ts';
import { configInvalid } from '../lib/errors.ts';
import { makeFolder } from '../lib/file-system.ts';
import { bearerTokenPattern, withoutSecrets } from '../lib/secrets.ts';
import { tried } from '../lib/tried.ts';

/** The place of an execution's file, as given in a message. */
export interface FilePlace {
  execution_id: string;
  filename: string;
  /** Undefined if nothing was written. */
  file_url: string | undefined;
  /** The recorder's store; undefined if unknown. */
  storeId: string | undefined;
  /** Whether this agent creates files for other agents from this file. */
  makesFiles?: boolean;
}

export interface Reached {
  files: DataFiles;
  folder: string | undefined;
  /**
   * Fetches the whole file if it is on another host. Resolves with false if that host does not have the
   * file, or has a different file than announced. Throws `DATA_UNAVAILABLE`.
   * @param over aborted when the file is no longer needed
   */
  bring?: (checksum: string | undefined, over: AbortSignal) => Promise<boolean>;
}

export type Access = Reached | { obstacle: string };

export interface AccessOptions {
  /** The folder of data files on this host, and how to get files from other hosts. */
  data: Pick<ExecutionParams['data'], 'dir' | 'url' | 'sources' | 'fetch' | 'keep_hours'>;
  /** `SWF_FILES_TOKEN` gives us access to sources. Commands inherit the environment without our other secrets. */
  environment: NodeJS.ProcessEnv;
  /** Aborted when no more work may begin. This also ends fetching a file for work that has not begun. */
  draining: AbortSignal;
  /** Aborted when the process no longer waits for anything. */
  stopped: AbortSignal;
}

/** Maximum number of `DataFiles` objects to keep, one for each folder. */
const maxKept = 200;

/** The minimum free space on a disk that receives files, in bytes. */
const minRoom = 16_777_216;

export type DataAccess = ReturnType<typeof createDataAccess>;

/**
 * The data files of a recorder, as seen from this host. A file's URL says where its writer serves it: a file at
 * another host's address is fetched if that host is a source. If the URL is a local path, the file is looked
 * for by name in `[data] dir`, provided that this folder is marked as the recorder's. Throws `CONFIG_INVALID`
 * for a token that no header can hold.
 */
export function createDataAccess({ data, environment, draining, stopped: signal }: AccessOptions) {
  const { dir = '', url: own } = data;
  const checked = createCheckedFiles();
  const ways = waysOf(data, environment);
  const fetched = createFetchedFiles(ways, checked);
  const kept = new Map<string, DataFiles>();
  const localFiles = ({ folder, urlOf }: WritePlace) => {
    const files = kept.get(folder) ?? createDataFiles(folder, urlOf);
    if (kept.size >= maxKept) kept.clear();
    kept.set(folder, files);
    return files;
  };
  /** Why a file is unavailable here, if that is known without trying; undefined if no obstacle is known. */
  const obstacleTo = (place: FilePlace) => obstacleIn(place, data, ways);
  return {
    checked,
    obstacleTo,
    of(place: FilePlace): Access {
      const { execution_id, filename, file_url: url } = place;
      if (url === undefined) return { files: noDataFiles, folder: undefined };
      const obstacle = obstacleTo(place);
      if (obstacle !== undefined) return { obstacle };
      const folder = join(dir, execution_id);
      const urlOf = own === undefined ? pathAddress(folder) : (name: string) => fileAddressOf(own, execution_id, name);
      const writes = { folder, urlOf };
      const local = localFiles(writes);
      if (isHere(place, data)) return { files: local, folder };
      try {
        prepareRemoteFolder(dir, execution_id);
      } catch (error) {
        return { obstacle: (asDataError(error, folder, dir) as Error).message };
      }
      const bring: Reached['bring'] = (checksum, over) => {
        const path = join(folder, filename);
        // A folder made by a recorder belongs to the recorder, so nothing in it is replaced.
        if (existsSync(path) && !isRemoteFolder(dir, execution_id)) return checked.agrees(path, checksum);
        return fetched.bring({ url, path, checksum }, AbortSignal.any([draining, over]));
      };
      return { files: createRemoteDataFiles({ url, ways, fetched, local, signal, place: writes }), folder, bring };
    },
    /** Whether the files of a place that was unusable are available now. */
    async isMended(place: FilePlace) {
      if (obstacleTo(place) !== undefined) return false;
      return isHere(place, data) || isWithinReach(place, data.dir ?? '.', ways);
    },
    /** Call when an execution has ended: the files that were fetched or made for it are removed after a while. */
    noteEnd(executionId: string) {
      // On a full disk, the files are kept longer, as if the end had not been reported.
      if (data.dir !== undefined) tried(() => noteRemoteEnd(dir, executionId));
    },
    /** Removes the files of executions, once the files have been kept long enough. */
    async tidy(isRunning: (executionId: string) => boolean) {
      if (data.dir !== undefined) await removeOldRemoteFolders(dir, { hours: data.keep_hours, isRunning });
    },
  };
}

function waysOf({ sources, url, fetch: command }: AccessOptions['data'], environment: NodeJS.ProcessEnv) {
  const token = tokenIn(environment);
  return {
    sources: { prefixes: sources ?? (url === undefined ? [] : [url]), token },
    command,
    // The site's own command may need the token, but none of our other secrets.
    environment: { ...withoutSecrets(environment), SWF_FILES_TOKEN: token },
  };
}

function obstacleIn(place: FilePlace, data: AccessOptions['data'], ways: FetchWays) {
  const { file_url: url, storeId } = place;
  const { dir } = data;
  if (url === undefined) return undefined;
  if (dir === undefined) return 'the data folder is not known; set it with --set data.dir=FOLDER';
  if (isHere(place, data)) return whyNoFolder(dir);
  if (isElsewhere(url))
    return place.makesFiles === true && data.url === undefined ? unpublished : obstacleToSource(url, ways);
  if (storeId !== undefined && !isMarked(dir, storeId))
    return `${dir} has no files from the recorder (store ${storeId}); share its data folder with this host and name it with --set data.dir=FOLDER, or publish it: run "swf-mcp serve-files" and set data.url on the host that made the file`;
  return whyNoFolder(dir);
}

/** Whether files can be written here, and whether their source answers. */
async function isWithinReach({ file_url: url }: FilePlace, dir: string, ways: FetchWays) {
  makeFolder(dir);
  accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK);
  const { bavail, bsize } = await statfs(dir);
  if (bavail * bsize < minRoom) return false;
  return url === undefined || ways.command !== undefined || isReachable(ways.sources, url);
}

/** Whether a file is in our own folder, which we publish ourselves or share with the recorder. */
function isHere(
  { execution_id, filename, file_url: url, storeId }: FilePlace,
  { dir, url: own }: AccessOptions['data'],
) {
  if (url === undefined || dir === undefined) return false;
  if (!isElsewhere(url)) return storeId === undefined || isMarked(dir, storeId);
  const isOurs = own !== undefined && isBelow(url, own);
  return (isOurs || (storeId !== undefined && isMarked(dir, storeId))) && existsSync(join(dir, execution_id, filename));
}

function obstacleToSource(url: string, { sources: { prefixes }, command }: FetchWays) {
  if (!prefixes.some((prefix) => isBelow(url, prefix))) {
    const all = JSON.stringify([...prefixes, originOf(url)]);
    return `files are at ${originOf(url)}, which is not in data.sources; add it: --set 'data.sources=${all}'`;
  }
  if (command === undefined && !/^https?:/.test(url))
    return `files are at ${originOf(url)}; fetching them needs a command: --set 'data.fetch=["xrdcp","-f","{url}","{path}"]'`;
  return undefined;
}

function tokenIn(environment: NodeJS.ProcessEnv) {
  const token = environment['SWF_FILES_TOKEN'];
  if (token === undefined || token === '') return undefined;
  if (bearerTokenPattern.test(token)) return token;
  throw configInvalid(
    'SWF_FILES_TOKEN contains a space or another character that is not allowed in a header; choose another token',
  );
}

const unpublished =
  'no other host could read files made here: publish data.dir with "swf-mcp serve-files", and give the address with --set data.url=http://HOST:PORT';

/** Why a folder of data files cannot be used; undefined if it can be used. */
const whyNoFolder = (dir: string) =>
  tried(() => statSync(dir).isDirectory()) === true
    ? undefined
    : `the data folder ${dir} does not exist; restore it, or name another with --set data.dir=FOLDER`;

/** Maximum number of retries for a missing file, and the pause before each, in milliseconds. */
const maxLooks = 10;
const lookMilliseconds = 500;

/**
 * Resolves when a file in a folder shared with the recorder is readable. Waits for it, since a network disk may
 * show it a few seconds late. A file that was fetched needs no wait. Throws `NoSuchFile`, or immediately
 * `NotFetched` if this user may not read the file.
 * @param until aborting one of these ends the wait
 */
export async function seeSharedFile({ folder, bring }: Reached, place: FilePlace, until: AbortSignal[]) {
  const { filename, file_url = filename } = place;
  if (folder === undefined || bring !== undefined || filename === '') return;
  for (let look = 0; ; look += 1) {
    const code = await obstacleTo(join(folder, filename));
    if (code === undefined) return;
    if (code === 'EACCES' || code === 'EPERM')
      throw new NotFetched(file_url, `this user may not read it (${code})`, 'fix its permissions');
    if (code !== 'ENOENT' || look === maxLooks || until.some(({ aborted }) => aborted))
      throw new NoSuchFile(file_url, `it does not exist (${code})`, 'check whether it is the right folder');
    await pause(lookMilliseconds, until);
  }
}

/** The code of the error that reading the file would cause; undefined if it can be read. */
const obstacleTo = (path: string) =>
  access(path, constants.R_OK).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code ?? 'unreadable',
  );
