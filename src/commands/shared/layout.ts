import stringWidth from 'fast-string-width';
import sliceAnsi from 'slice-ansi';

import { printable } from '../../lib/printable.ts';
import { textOf } from '../../lib/words.ts';
import { type Paint, stateShades } from './palette.ts';

export interface Column {
  head: string;
  /**
   * The part of a text to cut first if the column is too narrow: for a file name the end matters most, for an
   * error both ends.
   */
  cut?: 'start' | 'middle' | 'end' | undefined;
  /** Aligns the digits of numbers. */
  align?: 'right' | undefined;
  /**
   * The order in which columns are left out if the table is too wide: the highest number first. A column
   * with 0 or no number is never left out.
   */
  drop?: number;
  /**
   * How narrow the column may become before other columns are left out; if undefined, the column is not cut to
   * keep other columns.
   */
  least?: number;
  /**
   * Whether the column's texts are names. Such a column is not cut so far that two names look the same: other
   * columns are left out first.
   */
  isName?: boolean;
  /** Whether the column is never cut, as is usual for numbers. */
  isWhole?: boolean;
  /** Whether texts wrap to a second line if the column is too narrow. */
  isWrapped?: boolean;
  /**
   * Functions that leave out the least useful words, applied one after the other before a text that is too
   * wide is cut.
   */
  shorten?: readonly ((text: string) => string)[];
  /** Whether the column's words are states, some of which are painted. */
  isState?: boolean;
}

function painted(cell: string, paint: Paint) {
  const word = cell.trimEnd();
  const shade = stateShades[word.toLowerCase()];
  return shade === undefined ? cell : `${paint(shade, word)}${cell.slice(word.length)}`;
}

const gap = '  ';
const minWidth = 8;

/** A column with a function for the text that it shows for a row. */
export interface ShownColumn<Row> extends Column {
  of: keyof Row | ((row: Row) => unknown);
}

/** The value that a column shows for a row. */
export const valueIn = <Row>({ of }: ShownColumn<Row>, row: Row) => (typeof of === 'function' ? of(row) : row[of]);

/**
 * Lines of a table: a header line, and one line per row, or two where a cell wraps.
 * @param paint how states are marked; if omitted, they are not marked
 * @param width the terminal's columns, which the table has to fit; if undefined, nothing is left out or
 *   cut, for files and `grep`
 */
export function tableLines<Row>(
  columns: readonly ShownColumn<Row>[],
  rows: readonly Row[],
  width?: number,
  paint: Paint = (_, text) => text,
) {
  const all = columns.map((column) => {
    const cells = [column.head, ...rows.map((row) => printable(textOf(valueIn(column, row))))];
    const natural = Math.max(...cells.map((cell) => stringWidth(cell)));
    const laid = { ...column, cells, width: natural };
    return column.isName === true ? { ...laid, least: leastApart(laid) } : laid;
  });
  const shown = width === undefined ? all : narrowed(withoutDropped(all, width), width);
  return Array.from({ length: rows.length + 1 }, (_, row) => linesOf(shown, row, paint)).flat();
}

/** How narrow a column may become before two different texts in it look the same. */
function leastApart({ cut, least = minWidth, cells, width: natural }: Laid) {
  const count = (all: readonly string[]) => new Set(all).size;
  const isApart = (width: number) => count(cells.map((cell) => fitted(cell, width, { cut }))) === count(cells);
  let width = least;
  while (width < natural && !isApart(width)) width += 1;
  return width;
}

/** A row, in two lines if one of its cells wraps. */
function linesOf(columns: readonly Laid[], row: number, paint: Paint) {
  const cells = columns.map(({ cells: all, cut, align, width, isState, isWrapped, shorten }) => {
    const whole = all[row] ?? '';
    const text = shortenedTo(whole, shorten, width, isWrapped === true ? 2 * width : width);
    if (isWrapped === true && stringWidth(text) > width) return wrapped(text, width);
    const cell = fitted(text, width, { cut: row === 0 ? 'end' : cut, align });
    return [isState === true && row > 0 ? painted(cell, paint) : cell];
  });
  return Array.from({ length: Math.max(...cells.map(({ length }) => length)) }, (_, line) =>
    cells
      .map((lines, at) => lines[line] ?? ' '.repeat(columns[at]?.width ?? 0))
      .join(gap)
      .trimEnd(),
  );
}

/**
 * If a text is wider than a line, drops its least useful words: applies the first function of `shorten`, then
 * each of the others while the text is still wider than the column.
 */
function shortenedTo(whole: string, shorten: Column['shorten'] = [], line: number, room: number) {
  const [first, ...others] = shorten;
  if (first === undefined || stringWidth(whole) <= line) return whole;
  return others.reduce((text, more) => (stringWidth(text) > room ? more(text) : text), first(whole));
}

/** A text in two lines, each broken at a space if there is one, with `…` if it is too long for two. */
function wrapped(text: string, width: number) {
  const first = beginning(text, width);
  const rest = text.slice(first.length).trimStart();
  const second = stringWidth(rest) <= width ? rest : `${beginning(rest, width - 1).trimEnd()}…`;
  return [fitted(first, width, {}), fitted(second, width, {})];
}

/** As much of a text's beginning as fits into a width, cut at a space if one is near. */
function beginning(text: string, width: number) {
  const part = sliceAnsi(text, 0, width + 1);
  const space = part.lastIndexOf(' ');
  if (space > width / 2) return part.slice(0, space);
  const full = sliceAnsi(text, 0, width);
  // A wide character at the edge does not fit.
  return stringWidth(full) > width ? sliceAnsi(text, 0, width - 1) : full;
}

interface Laid extends Column {
  width: number;
  cells: readonly string[];
}

const totalOf = (columns: readonly Laid[], widthOf: (column: Laid) => number) =>
  columns.reduce((sum, column) => sum + widthOf(column), 0) + gap.length * (columns.length - 1);

/** The columns that fit once those that may be cut have been cut, the most important first; the others are left out. */
function withoutDropped(columns: readonly Laid[], width: number) {
  const needed = ({ width: natural, least = natural }: Laid) => Math.min(natural, least);
  let kept = columns.filter(({ drop = 0 }) => drop === 0);
  for (const next of columns.map(({ drop = 0 }) => drop).toSorted((a, b) => a - b)) {
    const more = columns.filter((column) => kept.includes(column) || column.drop === next);
    if (totalOf(more, needed) <= width) kept = more;
  }
  return kept;
}

/** Cuts the widest columns until the table fits, beginning with those that are cut so that others fit. */
function narrowed(columns: readonly Laid[], width: number) {
  const missing = totalOf(columns, ({ width: natural }) => natural) - width;
  const spare = ({ width: natural, least = natural }: Laid) => natural - least;
  const last = ({ width: natural, align, isWhole = align === 'right' }: Laid) => (isWhole ? 0 : natural - minWidth);
  const roomOf = columns.some((column) => spare(column) > 0) ? spare : last;
  const room = Math.max(...columns.map(roomOf));
  if (missing <= 0 || room <= 0) return [...columns];
  const at = columns.findIndex((column) => roomOf(column) === room);
  const cut = (column: Laid) => ({ ...column, width: column.width - Math.min(missing, room) });
  const fewer = columns.map((column, index) => (index === at ? cut(column) : column));
  return narrowed(fewer, width);
}

function fitted(text: string, width: number, { cut = 'end', align }: Pick<Column, 'cut' | 'align'>): string {
  const natural = stringWidth(text);
  if (natural <= width) {
    const space = ' '.repeat(width - natural);
    return align === 'right' ? `${space}${text}` : `${text}${space}`;
  }
  if (cut === 'middle' && width > 2) {
    const before = Math.floor((width - 1) / 3);
    const begin = sliceAnsi(text, 0, before);
    return `${begin}${fitted(text, width - stringWidth(begin), { cut: 'start', align })}`;
  }
  const part = (from: number, to: number) => sliceAnsi(text, from, to);
  const kept = cut === 'start' ? part(natural - width + 1, natural) : part(0, width - 1);
  // A wide character at the cut is kept whole.
  const over = stringWidth(kept) - (width - 1);
  if (over <= 0) return cut === 'start' ? `…${kept}` : `${kept}…`;
  return cut === 'start' ? `…${part(natural - width + 1 + over, natural)}` : `${part(0, width - 1 - over)}…`;
}
