import { resolve } from 'node:path';

import { configInvalid } from '../lib/errors.ts';
import { fileObstacle, onPath } from '../lib/file-system.ts';
import type { Config } from './schema.ts';

/** The placeholders that a payload command's words may contain. */
const placeholders: readonly string[] = [
  'tf_path',
  'start',
  'end',
  'tf_count',
  'slice_filename',
  'run_number',
  'output_dir',
];

/**
 * A command with absolute paths. It runs in the slice's output folder, so words that begin with `./` or
 * `../`, and a program given by path, are resolved against the configuration's folder.
 */
export function resolvePayload(command: readonly string[], folder: string) {
  const [program = '', ...args] = command;
  return [
    program.includes('/') ? resolve(folder, program) : program,
    ...args.map((word) => (/^\.\.?\//.test(word) ? resolve(folder, word) : word)),
  ];
}

/**
 * Why a program cannot be run here; undefined if it can.
 * @param path the environment's PATH; without one, a bare name is not looked up
 */
function obstacleOf(program: string, path?: string) {
  if (program.includes('/')) return fileObstacle(program);
  return path === undefined || onPath(program, path) !== undefined ? undefined : 'is not in any folder of PATH';
}

/**
 * Throws `CONFIG_INVALID` for a payload command that cannot start, if workers of this process would run it,
 * since otherwise every attempt at every slice would fail.
 * @param path the environment's PATH; without one, the system decides where to look
 * @param next what the user can do
 */
export function requireRunnable(
  { worker: { payload }, agents }: Config,
  path: string | undefined,
  next = `fix it, or name another program with --set 'worker.payload=["PROGRAM","ARGUMENT"]'`,
) {
  const [program] = payload ?? [];
  if (program === undefined || !agents.worker.enabled) return;
  const obstacle = obstacleOf(program, path);
  if (obstacle === undefined) return;
  throw configInvalid(`worker.payload: the program ${program} ${obstacle}, so every slice would fail; ${next}`);
}

/**
 * Warns about likely mistakes: a program given by path that cannot run, or a word that only looks like a
 * placeholder.
 */
export function payloadWarnings(command: readonly string[]) {
  const [program = ''] = command;
  // The program may be able to run on another host.
  const obstacle = obstacleOf(program);
  const words = command.flatMap((word) => [...word.matchAll(/\{([a-z_]+)\}/g)].map(([, name = '']) => name));
  const unknown = [...new Set(words)].filter((name) => !placeholders.includes(name));
  const known = placeholders.map((name) => `{${name}}`).join(', ');
  return [
    ...(obstacle === undefined ? [] : [`worker.payload: ${program} ${obstacle}; on this host every slice would fail`]),
    ...unknown.map(
      (name) => `worker.payload: {${name}} is not a placeholder and is left as it is; the placeholders are ${known}`,
    ),
  ];
}
