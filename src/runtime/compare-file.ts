import { lstat, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';

import type { RecordedFile } from '../db/reports/recorded-files.ts';
import { isBelow, isElsewhere } from '../domain/file-address.ts';
import { createDataFiles } from '../files/disk-data-files.ts';
import { checksumOf } from '../files/file-io.ts';
import { messageOf } from '../lib/errors.ts';
import { hostname } from '../lib/process-identity.ts';
import { outputFolder } from '../payload/outputs.ts';

interface ComparedFile {
  /** `unreachable`: this host cannot check the file, since the file is not readable here or its folder is missing. */
  state: 'fine' | 'missing' | 'changed' | 'unreachable';
  path: string;
  found_bytes?: number;
  found_checksum?: string;
  /** The problem with the file, as text. */
  problem?: string;
  /** Whether the file is on its writer's host, not on this one. */
  isElsewhere?: boolean;
}

/** Where an execution's data files are on this host. */
interface OwnFiles {
  folder: string;
  frameBytes: number;
  /** Where the folder that holds the files of all executions is published; undefined if it is not. */
  url: string | undefined;
}

/** The error codes for a file that is missing from an existing folder. */
const absent: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR']);

/**
 * Compares a file with its record: sizes and checksums of STF files and payload outputs, and each frame of
 * a TF sample. Does not throw for a file that differs from its record.
 */
export async function compareFile(file: RecordedFile, own: OwnFiles): Promise<ComparedFile> {
  const { folder, frameBytes } = own;
  const path =
    file.kind === 'output'
      ? join(outputFolder(folder, file.slice_filename, file.attempt), file.name)
      : join(folder, file.name);
  const wrong = (
    state: ComparedFile['state'],
    problem: string,
    found: Pick<ComparedFile, 'found_bytes' | 'isElsewhere'> = {},
  ): ComparedFile => ({ state, path, ...found, problem });
  try {
    const entry = await lstat(path);
    const { size } = entry;
    if (!entry.isFile()) return wrong('changed', `${file.name} is not a regular file`, { found_bytes: size });
    // The name comes from a message, and a folder may have been replaced by a link: read nothing outside
    // the folder.
    if (!(await realpath(path)).startsWith(`${await realpath(folder)}${sep}`))
      return wrong('changed', `${file.name} is not in the folder of its execution`);
    if (file.size_bytes !== null && size !== file.size_bytes)
      return wrong('changed', `${file.name} has ${size} bytes, not ${file.size_bytes}`, { found_bytes: size });
    return { path, ...(await differenceOf(file, { path, folder, frameBytes, size })) };
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!absent.has(code)) return wrong('unreachable', `${file.name}: ${messageOf(error)}`);
    const elsewhere = elsewhereOf(file, own);
    if (elsewhere !== undefined)
      return wrong('unreachable', `${file.name} is on another host: ${elsewhere}`, { isElsewhere: true });
    // If the execution's folder is missing, this is another host, or a disk is not mounted.
    const here = await lstat(folder).catch(() => undefined);
    if (here?.isDirectory() !== true) return wrong('unreachable', `${file.name}: there is no folder ${folder} here`);
    return wrong('missing', `${file.name} is missing`);
  }
}

/** The recorded place of a file that is on its writer's host, not on this one. */
function elsewhereOf({ kind, place }: RecordedFile, { url }: OwnFiles) {
  if (place === null) return undefined;
  if (kind === 'output') return place === hostname() ? undefined : place;
  return isElsewhere(place) && (url === undefined || !isBelow(place, url)) ? place : undefined;
}

async function differenceOf(
  file: RecordedFile,
  { path, folder, frameBytes, size }: { path: string; folder: string; frameBytes: number; size: number },
): Promise<Omit<ComparedFile, 'path'>> {
  if (file.kind === 'tf') {
    const range = { first: file.tf_first, last: file.tf_last, frameBytes };
    try {
      await createDataFiles(folder).verify(file.name, range);
      return { state: 'fine' };
    } catch (error) {
      // A faulty disk proves nothing about the file.
      if ('code' in (error as object)) throw error;
      return { state: 'changed', found_bytes: size, problem: `${file.name} ${messageOf(error)}` };
    }
  }
  const found_checksum = await checksumOf(path);
  if (found_checksum === file.checksum) return { state: 'fine' };
  const problem = `${file.kind === 'stf' ? file.name : path} does not have the checksum ${file.checksum}`;
  return { state: 'changed', found_bytes: size, found_checksum, problem };
}
