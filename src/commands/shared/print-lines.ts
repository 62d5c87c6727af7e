import wrapAnsi from 'wrap-ansi';

import { printable } from '../../lib/printable.ts';
import type { Io } from './io.ts';

/** The label of a line, such as `ok    store  `: its text goes on after it. */
const label = /^(?: *\S+(?: \S+)? {2,}){1,2}|^ */;

/**
 * Prints lines for a person. On a terminal a line that is too long goes on below its own text, past its label, and a
 * word stays whole; into a pipe so does every line. Characters that move a cursor are made visible.
 */
export function printLines(io: Pick<Io, 'out' | 'terminal'>, lines: readonly string[]): void {
  const width = io.terminal('out')?.columns();
  const shown = lines.map(printable);
  io.out(`${(width === undefined ? shown : shown.map((line) => fitted(line, width))).join('\n')}\n`);
}

function fitted(line: string, width: number): string {
  if (line.length <= width) return line;
  const [begin] = label.exec(line) ?? [''];
  // A label may not take half of a narrow terminal.
  const indent = begin.length > width / 2 ? 2 : begin.length;
  const [first = '', ...rest] = wrapAnsi(line.slice(indent), width - indent).split('\n');
  return [line.slice(0, indent) + first, ...rest.map((part) => ' '.repeat(indent) + part)].join('\n');
}
