import { randomUUID } from 'node:crypto';
import { accessSync } from 'node:fs';
import { lstat, opendir, rename } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';

import type { PayloadFacts } from '../agents/ports.ts';
import { outputPath, outputsName } from '../domain/file-names.ts';
import { asideEnding, checksumOf } from '../files/file-io.ts';
import { removeWhole } from '../files/folders.ts';
import { makeFolder, namesIn } from '../lib/file-system.ts';

/**
 * The files that a payload wrote, by their paths below the output folder. The list omits files that do not fit
 * in a message.
 */
export type Outputs = Pick<PayloadFacts, 'outputs_omitted'> & { outputs: OutputFile[] };

type OutputFile = NonNullable<PayloadFacts['outputs']>[number];

/** The list has at most this many characters as JSON, so that a row of `list_tf_slices` fits its page. */
const listedCharacters = 12_000;
const listedFiles = 50;

/** The folder of one attempt. */
export const outputFolder = (executionFolder: string, sliceFilename: string, attempt: number) =>
  join(executionFolder, outputPath(sliceFilename, attempt));

/**
 * Makes a fresh folder next to the final one, since two workers may get the same attempt. Throws system errors,
 * including when the execution's own folder is gone: a new folder in its place would hide that its data is
 * missing.
 */
export function makeAside(executionFolder: string, final: string) {
  accessSync(executionFolder);
  const aside = `${final}.${randomUUID().slice(0, 8)}${asideEnding}`;
  makeFolder(aside);
  // Node mistakes a broken link for a folder, and a payload may have put one in the folder's place.
  accessSync(aside);
  return aside;
}

export const noOutputs: Outputs = { outputs: [] };

export const discard = (path: string) => removeWhole(path).catch(() => {});

/**
 * Gives a folder its final name and replaces what an interrupted worker left there. A folder without files is
 * removed.
 */
export async function settle(aside: string, final: string, { outputs, outputs_omitted }: Outputs) {
  if (outputs.length === 0 && outputs_omitted === undefined) {
    await discard(aside);
    return;
  }
  await discard(final);
  await rename(aside, final);
}

/**
 * The regular files below a folder, by name, with size and checksum. Omits files that cannot be read, are
 * nested too deep, or come after too many others, and counts the omitted ones that were seen. Throws an
 * `Error` if there is no folder.
 */
export async function listOutputs(folder: string): Promise<Outputs> {
  // A payload may have put something else in the folder's place.
  if (!(await lstat(folder)).isDirectory()) throw new Error('it is no longer a folder');
  const paths = (await regularFiles(folder)).toSorted();
  const outputs: OutputFile[] = [];
  let characters = 0;
  for (const path of paths) {
    if (outputs.length === listedFiles) break;
    const output = await describeFile(path, relative(folder, path)).catch(() => undefined);
    if (output === undefined) continue;
    characters += JSON.stringify(output).length;
    if (characters > listedCharacters) break;
    outputs.push(output);
  }
  return { outputs, outputs_omitted: paths.length - outputs.length || undefined };
}

/**
 * How many entries in output folders to read, and how deep: a payload can make a million entries, and folders
 * nested deeper than any path can name.
 */
const most = { entries: 100_000, depth: 50 };

async function regularFiles(folder: string) {
  const files: string[] = [];
  const folders = [{ path: folder, depth: 0 }];
  let seen = 0;
  for (let next = folders.shift(); next !== undefined && seen < most.entries; next = folders.shift())
    for await (const entry of await opendir(next.path, { bufferSize: 1000 })) {
      seen += 1;
      if (entry.isFile()) files.push(join(next.path, entry.name));
      else if (entry.isDirectory() && next.depth < most.depth)
        folders.push({ path: join(next.path, entry.name), depth: next.depth + 1 });
      if (seen >= most.entries) break;
    }
  return files;
}

async function describeFile(path: string, name: string) {
  const { size } = await lstat(path);
  return { name, size_bytes: size, checksum: await checksumOf(path) };
}

/**
 * How many workers were killed during an attempt: each left an unfinished folder. A worker that ends cleanly
 * removes its folder, even on a full disk.
 * @param final the folder of the attempt
 */
export const killedIn = (final: string) =>
  namesIn(dirname(final)).filter((name) => name.startsWith(`${basename(final)}.`) && name.endsWith(asideEnding)).length;

/**
 * Once the execution has ended, removes folders that killed workers left unfinished. Only the process that
 * works on the execution may call this.
 */
export async function tidyOutputs(executionFolder: string) {
  const root = join(executionFolder, outputsName);
  const left = namesIn(root).flatMap((slice) =>
    namesIn(join(root, slice))
      .filter((name) => name.endsWith(asideEnding))
      .map((name) => join(root, slice, name)),
  );
  await Promise.all(left.map((path) => removeWhole(path)));
}
