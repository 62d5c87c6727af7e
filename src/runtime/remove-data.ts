import { existsSync, realpathSync } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';

import { outputsName } from '../domain/file-names.ts';
import { removeWhole } from '../files/remove-whole.ts';
import { dataUnavailable, messageOf } from '../lib/errors.ts';

/**
 * Removes the folder of an execution's data files. A row of the store gives its path, and a store may be somebody else's, so a folder without the
 * execution's name, or with anything but our files, is left. Throws `DATA_UNAVAILABLE` if the system refuses.
 * @returns why the folder is left, if it is
 */
export async function removeDataFolder(folder: string, executionId: string, store: string) {
  try {
    const left = await whyLeft(folder, executionId, store);
    if (left === undefined) await removeWhole(folder);
    return left;
  } catch (error) {
    throw dataUnavailable(
      `the data folder ${folder} cannot be removed (${messageOf(error).slice(0, 300)}); fix its rights and prune again`,
      { cause: error },
    );
  }
}

/**
 * Why a folder would be left: it is not this execution's. Undefined if it would be removed, or is gone. Throws the system's errors.
 * @param store the file of the store
 */
export async function whyLeft(folder: string, executionId: string, store: string): Promise<string | undefined> {
  if (!isAbsolute(folder) || basename(folder) !== executionId) return `it is not named ${executionId}`;
  if (!/^[A-Za-z0-9._-]+-\d{4,}$/.test(executionId)) return 'its name is not that of an execution';
  const owner = otherStoreOf(folder, store);
  if (owner !== undefined) return `it is in the data folder of the store ${owner}`;
  const entry = await lstat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (entry === undefined) return undefined;
  if (!entry.isDirectory()) return 'it is a link, or no folder';
  const other =
    (await readdir(folder)).find((name) => !isOurs(name)) ?? (await strangeOutput(join(folder, outputsName)));
  return other === undefined ? undefined : `it holds ${other}, which is no file of an execution`;
}

/** The other store, if any, whose usual data folder holds a folder. */
function otherStoreOf(folder: string, store: string): string | undefined {
  const [, owner] = /^(.*)\.data$/.exec(dirname(folder)) ?? [];
  if (owner === undefined || !existsSync(owner)) return undefined;
  return realpathSync(owner) === realpathSync(store) ? undefined : owner;
}

/** An entry of the outputs folder that belongs to no slice; undefined if all do. */
async function strangeOutput(outputs: string): Promise<string | undefined> {
  const names = await readdir(outputs).catch(() => []);
  const strange = names.find((name) => !/^[A-Za-z0-9._-]+_slice_\d+$/.test(name));
  return strange === undefined ? undefined : join(outputsName, strange);
}

/** Files of STFs and samples, whole or half written, and the folder of payload outputs. */
const isOurs = (name: string): boolean =>
  name === outputsName || /^[A-Za-z0-9._-]+\.(?:stf|tf)(?:\.[0-9a-f]{8}\.part)?$/.test(name);
