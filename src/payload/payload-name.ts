import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs';
import { basename, delimiter, isAbsolute, join } from 'node:path';

import type { PayloadName } from '../domain/slice-returns.ts';
import { sha256 } from '../lib/sha256.ts';

/**
 * A payload command by its name and a digest: SHA-256 of its words, and of the bytes of each file that they name, the program found by PATH where it has
 * no "/". A path counts by its last part, so that the same files in another folder are the same payload: two hosts whose digests agree run the same
 * program on a slice. `docs/payloads.md` says what this means for an author.
 * @param command with absolute paths, as a configuration is loaded
 * @param path the environment's PATH
 */
export function payloadNameOf(
  command: readonly string[],
  { name, path }: { name: string | undefined; path: string | undefined },
): Required<PayloadName> {
  const words = command.map((word, at) => digestWord(at === 0 ? (programOf(word, path) ?? word) : word));
  const digest = sha256().update(JSON.stringify(words)).digest('hex');
  return { name: name ?? basename(command[0] ?? ''), digest: `sha256:${digest}` };
}

/** Whether a worker's payload is the one that a slice asks for. */
export const isSamePayload = (asked: PayloadName, own: PayloadName): boolean =>
  asked.name === own.name && (asked.digest === undefined || asked.digest === own.digest);

/** A word without the folders of this host: of a path, also behind `--option=`, its last part and the content of the file. */
function digestWord(word: string): string[] {
  const [, option = '', value = ''] = /^([^=/]*=)?(.*)$/s.exec(word) ?? [];
  if (!isAbsolute(value)) return [word];
  const content = contentOf(value);
  return [option, basename(value), ...(content === undefined ? [] : [content])];
}

/** The file that the system runs for a program without a "/"; undefined where there is none. */
function programOf(program: string, path = ''): string | undefined {
  if (program.includes('/')) return program;
  const folders = path.split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, program)).find(isRunnable);
}

function isRunnable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

const chunkBytes = 1_048_576;

/** Digests of files, by path: a container image of gigabytes is not read again while it stays as it is. */
const known = new Map<string, { state: string; digest: string }>();

/** The SHA-256 of a file; undefined where a path is no readable file. */
function contentOf(path: string): string | undefined {
  let file: number | undefined;
  try {
    const stats = statSync(path);
    if (!stats.isFile()) return undefined;
    const state = `${stats.ino} ${stats.size} ${stats.mtimeMs}`;
    const before = known.get(path);
    if (before?.state === state) return before.digest;
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const hash = sha256();
    const chunk = Buffer.alloc(chunkBytes);
    for (let read = readSync(file, chunk); read > 0; read = readSync(file, chunk)) hash.update(chunk.subarray(0, read));
    const digest = hash.digest('hex');
    known.set(path, { state, digest });
    return digest;
  } catch {
    // A word may look like a path and be none.
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
