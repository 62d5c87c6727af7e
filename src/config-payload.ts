import { resolve } from 'node:path';

/** The facts of a slice that a payload command may have in its words (contract §3). */
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
 * A command with its paths made whole: it is run in the slice's output folder, so words that begin with `./` or `../`, and a
 * program that is named by a path, are taken from the folder of the configuration that has them.
 */
export function resolvePayload(command: readonly string[], folder: string): string[] {
  const [program = '', ...args] = command;
  return [
    program.includes('/') ? resolve(folder, program) : program,
    ...args.map((word) => (/^\.\.?\//.test(word) ? resolve(folder, word) : word)),
  ];
}

/** What looks like a placeholder and is none: most likely a slip, but a program may mean it. */
export function payloadWarnings(command: readonly string[]): string[] {
  const words = command.flatMap((word) => [...word.matchAll(/\{([a-z_]+)\}/g)].map(([, name = '']) => name));
  return [...new Set(words)]
    .filter((name) => !placeholders.includes(name))
    .map(
      (name) =>
        `worker.payload: {${name}} is no placeholder and stays as it is; there are ${placeholders.map((known) => `{${known}}`).join(', ')}`,
    );
}
