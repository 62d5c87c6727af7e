import xterm from '@xterm/headless';
import { onTestFinished } from 'vitest';

import { cliPath, type Started, startProcess } from './helpers.ts';

/** What a person would see: the output of a program in a terminal of this size. */
interface Seen {
  started: Started;
  /** The rows of the screen now, without those that are empty at the end. */
  rows(): Promise<string[]>;
  /** Everything that has been written, control sequences included. */
  written(): string;
}

interface TerminalSize {
  columns: number;
  rows: number;
}

/** Runs the built command line in a real terminal, by util-linux's `script`. */
export function runInTerminal(
  args: string[],
  { columns, rows, folder, env = {} }: TerminalSize & { folder: string; env?: Record<string, string> },
): Seen {
  const words = [process.execPath, cliPath, ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  const variables = Object.entries({ TERM: 'xterm-256color', ...env }).map(([name, value]) => `${name}=${value}`);
  const clean = ['NO_COLOR', 'FORCE_COLOR', 'COLORTERM', 'CI'].map((name) => `-u ${name}`);
  const command = `stty rows ${rows} cols ${columns}; exec env ${[...clean, ...variables].join(' ')} ${words}`;
  const started = startProcess('script', ['-qec', command, '/dev/null'], {
    folder,
  });
  const terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
  onTestFinished(() => terminal.dispose());
  let written = '';
  let shown: Promise<void> = Promise.resolve();
  started.child.stdout?.on('data', (text: string) => {
    written += text;
    shown = new Promise((resolve) => terminal.write(text, resolve));
  });
  return {
    started,
    written: () => written,
    async rows() {
      await shown;
      const { active } = terminal.buffer;
      const lines = Array.from(
        { length: rows },
        (_, y) => active.getLine(active.baseY + y)?.translateToString(true) ?? '',
      );
      while (lines.at(-1) === '') lines.pop();
      return lines;
    },
  };
}

/** The screen of a terminal that a text has been written to; for views that need no process. */
export async function screenOf(text: string, { columns, rows }: TerminalSize): Promise<string[]> {
  const terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, convertEol: true });
  await new Promise<void>((resolve) => terminal.write(text, resolve));
  const { active } = terminal.buffer;
  const lines = Array.from({ length: rows }, (_, y) => active.getLine(active.baseY + y)?.translateToString(true) ?? '');
  terminal.dispose();
  while (lines.at(-1) === '') lines.pop();
  return lines;
}
