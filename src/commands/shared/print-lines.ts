import stringWidth from 'fast-string-width';
import { wrapAnsi } from 'fast-wrap-ansi';

import { allPrintable, printable } from '../../lib/printable.ts';
import { withPlainTimes } from '../../lib/words.ts';
import { type Io, storeOption, withStore } from './io.ts';

/** The label of a line, such as `ok store `: the text of the line follows it. */
const label = /^(?: *\S+(?: \S+)? {2,}){1,2}|^ */;

/**
 * Prints lines for a person. On a terminal, long lines wrap with a hanging indent under their text; words
 * and quoted commands are not split, and commands name the store if the user named it. Output to a pipe is
 * not wrapped. Characters that move the cursor are made visible.
 * @param paint adds colours to a line that has been laid out
 */
export function printLines(
  io: Pick<Io, 'out' | 'terminal' | 'db'>,
  lines: readonly string[],
  paint: (line: string) => string = (line) => line,
) {
  const width = io.terminal('out')?.columns();
  const shown = lines.map((line) => withStore(withPlainTimes(printable(line)), storeOption(io)));
  const laid = width === undefined ? shown : shown.map((line) => fitted(line, width));
  io.out(`${laid.map(paint).join('\n')}\n`);
}

/** Prints an answer for a program, on one line unless it is to be indented. */
export const printJson = (io: Pick<Io, 'out'>, answer: unknown, indent?: number) =>
  io.out(`${JSON.stringify(allPrintable(answer), undefined, indent)}\n`);

/** A space at which lines do not break, used within commands so that they can be copied. */
const firm = '\u00A0';

function fitted(line: string, width: number) {
  if (stringWidth(line) <= width) return line;
  const [begin] = label.exec(line) ?? [''];
  const isWide = begin.length > width / 2;
  // A label wider than half the terminal has a line to itself.
  const indent = isWide ? 2 : begin.length;
  const text = line.slice(begin.length).replaceAll(/"swf-mcp [^"]*"/g, (quoted) => quoted.replaceAll(' ', firm));
  const [first = '', ...rest] = wrapAnsi(text, width - indent).split('\n');
  const lines = isWide ? [begin.trimEnd(), ' '.repeat(indent) + first] : [begin + first];
  return [...lines, ...rest.map((part) => ' '.repeat(indent) + part)].join('\n').replaceAll(firm, ' ');
}
