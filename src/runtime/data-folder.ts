import { accessSync, constants, existsSync, realpathSync, statSync } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join, basename, dirname, isAbsolute } from 'node:path';

import type { Config } from '../config/schema.ts';
import type { Drive } from '../db/driving/take-over.ts';
import { homeOf } from '../db/log/store-identity.ts';
import type { Store } from '../db/opening/store.ts';
import { outputsName } from '../domain/file-names.ts';
import { removeWhole } from '../files/folders.ts';
import { configInvalid, dataUnavailable, executionInUse, messageOf } from '../lib/errors.ts';
import { makeFolder, whyNotOurs } from '../lib/file-system.ts';

/** Throws `DATA_UNAVAILABLE` for a folder that another user could change without our knowledge. */
function requireOurFolder(dir: string) {
  const why = whyNotOurs(dir);
  if (why === undefined) return;
  throw dataUnavailable(
    `the data folder ${dir} is not used: ${why}; "chmod 700" it if it is yours, or name another with --set data.dir=FOLDER`,
  );
}

/**
 * Makes the folder of all executions' data files, if any are written. Throws `DATA_UNAVAILABLE` if it cannot
 * be made or used.
 */
export function requireDataFolder({ data: { dir, write_files } }: Pick<Config, 'data'>) {
  if (!write_files || dir === undefined) return;
  try {
    makeFolder(dir);
    accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK);
    if (!statSync(dir).isDirectory()) throw new Error('it is not a folder');
  } catch (error) {
    throw dataUnavailable(
      `the data folder ${dir} cannot be created or used (${messageOf(error)}); fix it, or name another with --set data.dir=FOLDER`,
      { cause: error },
    );
  }
  requireOurFolder(dir);
}

/**
 * Requires the files of a started execution before it is resumed: in a new, empty folder its slices would
 * fail or be processed without their data. Throws `DATA_UNAVAILABLE`.
 */
function requireExecutionFolder({ data: { dir, write_files } }: Config, executionId: string) {
  if (write_files && dir !== undefined && existsSync(dir)) requireOurFolder(dir);
  if (!write_files || dir === undefined || existsSync(join(dir, executionId))) return;
  throw dataUnavailable(
    `the data folder ${join(dir, executionId)} does not exist, so ${executionId} cannot continue; restore it and run "swf-mcp resume ${executionId}", or end the execution with "swf-mcp stop ${executionId}"`,
  );
}

/**
 * Two stores may assign the same execution id, but must not write into the same folder. Called in the
 * transaction that begins the execution, so that an error rolls it back. Throws `CONFIG_INVALID`.
 */
export function refuseForeignFolder({ data: { dir, write_files } }: Config, { execution_id }: Drive) {
  if (!write_files || dir === undefined || !existsSync(join(dir, execution_id))) return;
  throw configInvalid(
    `data.dir = ${JSON.stringify(dir)} contains files of execution ${execution_id}, which this store does not know: they belong to another store, or are newer than the backup that was restored; give this store another data.dir, or move that folder away`,
  );
}

/**
 * Lets an execution continue only with its own files. Throws `DATA_UNAVAILABLE` if the files are missing,
 * and `EXECUTION_IN_USE` in a copy of the execution's store.
 */
export function requireOwnFiles(
  { sql, path }: Pick<Store, 'sql' | 'path'>,
  { execution_id, stf_count }: { execution_id: string; stf_count: number },
  config: Config,
) {
  const home = homeOf(sql);
  // This store is a copy. The data files belong to the original store, which may also continue the execution.
  if (config.data.write_files && home !== undefined && home !== realpathSync(path))
    throw executionInUse(
      `${execution_id} writes into the data folder of the store ${home}, and ${path} is a copy of that store; to continue with the copy, end all processes that use the original, and move the copy to ${home}`,
    );
  if (stf_count > 0) requireExecutionFolder(config, execution_id);
}

/**
 * Removes the folder of an execution's data files. The path comes from a row of the store, and a store may
 * belong to another user. So a folder is kept if it is not named after the execution or contains anything but
 * our files. Throws `DATA_UNAVAILABLE` if the system refuses.
 * @returns the reason if the folder is kept
 */
export async function removeDataFolder(folder: string, executionId: string, store: string) {
  try {
    const left = await whyLeft(folder, executionId, store);
    if (left === undefined) await removeWhole(folder);
    return left;
  } catch (error) {
    throw dataUnavailable(
      `the data folder ${folder} cannot be removed (${messageOf(error).slice(0, 300)}); fix its permissions and prune again`,
      { cause: error },
    );
  }
}

/**
 * Why `removeDataFolder` would keep a folder instead of treating it as this execution's; undefined if it would
 * remove the folder, or if the folder is gone. Throws system errors.
 * @param store the file of the store
 */
export async function whyLeft(folder: string, executionId: string, store: string) {
  if (!isAbsolute(folder) || basename(folder) !== executionId) return `it is not named ${executionId}`;
  if (!/^[A-Za-z0-9._-]+-\d{4,}$/.test(executionId)) return 'its name is not an execution id';
  const owner = otherStoreOf(folder, store);
  if (owner !== undefined) return `it is in the data folder of the store ${owner}`;
  const entry = await lstat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (entry === undefined) return undefined;
  if (!entry.isDirectory()) return 'it is a link, or not a folder';
  const other =
    (await readdir(folder)).find((name) => !isOurs(name)) ?? (await strangeOutput(join(folder, outputsName)));
  return other && `it contains ${other}, which does not belong to an execution`;
}

/** The other store, if any, whose default data folder contains this folder. */
function otherStoreOf(folder: string, store: string) {
  const [, owner] = /^(.*)\.data$/.exec(dirname(folder)) ?? [];
  if (owner === undefined || !existsSync(owner)) return undefined;
  return realpathSync(owner) === realpathSync(store) ? undefined : owner;
}

/** An entry of the outputs folder that belongs to no slice; undefined if every entry belongs to a slice. */
async function strangeOutput(outputs: string) {
  const names = await readdir(outputs).catch(() => []);
  const strange = names.find((name) => !/^[A-Za-z0-9._-]+_slice_\d+$/.test(name));
  return strange && join(outputsName, strange);
}

/**
 * Whether a folder entry is ours: a file of an STF or a sample, completely or partly written, or the folder of
 * payload outputs.
 */
const isOurs = (name: string) =>
  name === outputsName || /^[A-Za-z0-9._-]+\.(?:stf|tf)(?:\.[0-9a-f]{8}\.part)?$/.test(name);
