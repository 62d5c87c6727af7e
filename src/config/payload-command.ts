import { accessSync, constants } from 'node:fs';
import { resolve } from 'node:path';

/** The placeholders that a payload command may have in its words (contract §3). */
export const placeholders: readonly string[] = [
  'tf_path',
  'start',
  'end',
  'tf_count',
  'slice_filename',
  'run_number',
  'output_dir',
];

/**
 * A command with absolute paths. It runs in the slice's output folder, so words that begin with `./` or `../`, and a program that is named
 * by a path, are resolved against the folder of the configuration.
 */
export function resolvePayload(command: readonly string[], folder: string): string[] {
  const [program = '', ...args] = command;
  return [
    program.includes('/') ? resolve(folder, program) : program,
    ...args.map((word) => (/^\.\.?\//.test(word) ? resolve(folder, word) : word)),
  ];
}

/** Warns of a program that is named by a path and cannot be run here. On another host it may. */
function programWarning(program: string): string[] {
  if (!program.includes('/')) return [];
  try {
    accessSync(program, constants.X_OK);
    return [];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return [
      `worker.payload: ${program} ${code === 'ENOENT' ? 'is not there' : 'may not be executed'}; on this host every slice would fail`,
    ];
  }
}

/** Warns of likely slips: a program that is not there, and a word that looks like a placeholder and is none. */
export function payloadWarnings(command: readonly string[]): string[] {
  const [program = ''] = command;
  const words = command.flatMap((word) => [...word.matchAll(/\{([a-z_]+)\}/g)].map(([, name = '']) => name));
  const unknown = [...new Set(words)].filter((name) => !placeholders.includes(name));
  const known = placeholders.map((name) => `{${name}}`).join(', ');
  return [
    ...programWarning(program),
    ...unknown.map((name) => `worker.payload: {${name}} is no placeholder and stays as it is; there are ${known}`),
  ];
}
