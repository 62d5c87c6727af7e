import { closeSync, constants, createReadStream, openSync, readSync, statSync } from 'node:fs';
import { basename, isAbsolute } from 'node:path';

import type { PayloadName } from '../domain/slice-returns.ts';
import { fileObstacle, onPath } from '../lib/file-system.ts';
import { sha256 } from '../lib/sha256.ts';
import { tried } from '../lib/tried.ts';

/**
 * A payload command's name and digest. The digest is the SHA-256 of the command's words and of the bytes of
 * each file that they name; a program without "/" is looked up on PATH. Only the last part of a path counts, so
 * the same files in another folder are the same payload: two hosts with equal digests run the same program on a
 * slice. `docs/payloads.md` explains what this means for authors of payloads.
 * @param command with absolute paths, as in a loaded configuration
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
 * Reads a command's files before `payloadNameOf` needs them: reading a container image of several gigabytes
 * must not hold up this process's heartbeats.
 * @param path the environment's PATH
 */
export async function readPayload(command: readonly string[], path: string | undefined) {
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

/** The absolute path in a word, even after `--option=`. */
function pathIn(word: string) {
  const [, option = '', value = ''] = /^([^=/]*=)?(.*)$/s.exec(word) ?? [];
  return { option, file: isAbsolute(value) ? value : undefined };
}

/** Whether a command's program exists. @param path the environment's PATH */
export function isProgramThere([program = '']: readonly string[], path: string | undefined) {
  const file = programOf(program, path);
  return file !== undefined && fileObstacle(file) === undefined;
}

/**
 * A word without this host's folders. A path, even after `--option=`, becomes its last part and a digest of the
 * file.
 */
function digestWord(word: string) {
  const { option, file } = pathIn(word);
  if (file === undefined) return [word];
  const content = contentOf(file);
  return [option, basename(file), ...(content === undefined ? [] : [content])];
}

/**
 * The file that the system runs for a program: the program itself if it has a "/", otherwise the first on
 * PATH; undefined if PATH has none.
 */
const programOf = (program: string, path = '') => (program.includes('/') ? program : onPath(program, path));

const chunkBytes = 1_048_576;

/** Digests of files, by path, so that an unchanged container image of several gigabytes is not read again. */
const known = new Map<string, { state: string; digest: string }>();

/** A text that changes whenever the file changes; undefined if the path leads to no file or may not be followed. */
function stateOf(path: string) {
  // A word may merely look like a path.
  const stats = tried(() => statSync(path));
  return stats?.isFile() === true ? `${stats.ino} ${stats.size} ${stats.mtimeMs}` : undefined;
}

/** The SHA-256 of a file; undefined if the path is not a readable file. */
function contentOf(path: string) {
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
