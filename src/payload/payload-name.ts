import { closeSync, constants, createReadStream, openSync, readSync, statSync } from 'node:fs';
import { basename, isAbsolute } from 'node:path';

import type { PayloadName } from '../domain/slice-returns.ts';
import { fileObstacle, onPath } from '../lib/file-system.ts';
import { sha256 } from '../lib/sha256.ts';
import { tried } from '../lib/tried.ts';

/**
 * A payload command's name and digest: SHA-256 of its words, and of the bytes of each file that they name; a
 * program without "/" is looked up on PATH. A path counts by its last part, so the same files in another
 * folder are the same payload: two hosts with equal digests run the same program on a slice.
 * `docs/payloads.md` explains what this means for an author.
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

/** Whether a worker has the payload that a slice requires. */
export const isSamePayload = (asked: PayloadName, own: PayloadName) =>
  asked.name === own.name && (asked.digest === undefined || asked.digest === own.digest);

/**
 * Reads the files of a command ahead of `payloadNameOf`: a container image of gigabytes must not hold up this
 * process's heartbeats.
 * @param path the environment's PATH
 */
export async function readPayload(command: readonly string[], path: string | undefined): Promise<void> {
  for (const [at, word] of command.entries()) {
    const { file } = pathIn(at === 0 ? (programOf(word, path) ?? word) : word);
    const state = file === undefined ? undefined : stateOf(file);
    if (file === undefined || state === undefined || known.get(file)?.state === state) continue;
    const hash = sha256();
    try {
      for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
      known.set(file, { state, digest: hash.digest('hex') });
    } catch {
      // An unreadable file adds nothing.
    }
  }
}

/** The absolute path in a word, also after `--option=`. */
function pathIn(word: string): { option: string; file: string | undefined } {
  const [, option = '', value = ''] = /^([^=/]*=)?(.*)$/s.exec(word) ?? [];
  return { option, file: isAbsolute(value) ? value : undefined };
}

/** Whether the program of a command exists. @param path the environment's PATH */
export function isProgramThere([program = '']: readonly string[], path: string | undefined): boolean {
  const file = programOf(program, path);
  return file !== undefined && fileObstacle(file) === undefined;
}

/**
 * A word without this host's folders: for a path, also after `--option=`, its last part and the file's
 * content.
 */
function digestWord(word: string): string[] {
  const { option, file } = pathIn(word);
  if (file === undefined) return [word];
  const content = contentOf(file);
  return [option, basename(file), ...(content === undefined ? [] : [content])];
}

/**
 * The file that the system runs for a program: itself with a "/", else the first on PATH; undefined if PATH
 * has none.
 */
const programOf = (program: string, path = '') => (program.includes('/') ? program : onPath(program, path));

const chunkBytes = 1_048_576;

/** Digests of files, by path, so that an unchanged container image of gigabytes is not read again. */
const known = new Map<string, { state: string; digest: string }>();

/** Changes with the file; undefined if a path leads to no file or may not be followed. */
function stateOf(path: string): string | undefined {
  // A word may only look like a path.
  const stats = tried(() => statSync(path));
  return stats?.isFile() === true ? `${stats.ino} ${stats.size} ${stats.mtimeMs}` : undefined;
}

/** The SHA-256 of a file; undefined if the path is not a readable file. */
function contentOf(path: string): string | undefined {
  let file: number | undefined;
  try {
    const state = stateOf(path);
    if (state === undefined) return undefined;
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
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
