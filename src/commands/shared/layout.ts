import stringWidth from 'fast-string-width';
import sliceAnsi from 'slice-ansi';

import { printable } from '../../lib/printable.ts';
import { textOf } from '../../lib/words.ts';
import { type Paint, stateShades } from './palette.ts';

export interface Column {
  head: string;
  /**
   * The part of a text to cut first if the column is too narrow: the end of a file name is the most
   * significant, as are both ends of an error.
   */
  cut?: 'start' | 'middle' | 'end' | undefined;
  /** Aligns the digits of numbers. */
  align?: 'right' | undefined;
  /** Left out if the table is too wide, highest first; 0 or none: never. */
  drop?: number;
  /** How narrow it may become before others are left out; none: it is not cut to keep them. */
  least?: number;
  /** Its texts are names: before others are left out, it is not cut so far that two of them look alike. */
  isName?: boolean;
  /** Never cut, like a number. */
  isWhole?: boolean;
  /** Wraps to a second line if the column is too narrow. */
  isWrapped?: boolean;
  /**
   * Functions that leave out the least useful words, applied one after the other before a text that is too
   * wide is cut.
   */
  shorten?: readonly ((text: string) => string)[];
  /** Its words are states, of which some are painted. */
  isState?: boolean;
}

function painted(cell: string, paint: Paint) {
  const word = cell.trimEnd();
  const shade = stateShades[word.toLowerCase()];
  return shade === undefined ? cell : `${paint(shade, word)}${cell.slice(word.length)}`;
}

const gap = '  ';
const minWidth = 8;

/** A column with what it shows of a row. */
export interface ShownColumn<Row> extends Column {
  of: (row: Row) => unknown;
}

/**
 * Lines of a table: a head, and a line per row, or two where a cell wraps.
 * @param paint how states are marked; if omitted, they are not
 * @param width columns of the terminal that it has to fit; undefined: nothing is left out or cut, for files and `grep`
 */
export function tableLines<Row>(
  columns: readonly ShownColumn<Row>[],
  rows: readonly Row[],
  width?: number,
  paint: Paint = (_, text) => text,
) {
  const all = columns.map((column): Laid => {
    const cells = [column.head, ...rows.map((row) => printable(textOf(column.of(row))))];
    const natural = Math.max(...cells.map((cell) => stringWidth(cell)));
    const laid = { ...column, cells, width: natural };
    return column.isName === true ? { ...laid, least: leastApart(laid) } : laid;
  });
  const shown = width === undefined ? all : narrowed(withoutDropped(all, width), width);
  return Array.from({ length: rows.length + 1 }, (_, row) => linesOf(shown, row, paint)).flat();
}

/** How narrow a column may become while different texts in it look different. */
function leastApart({ cut, least = minWidth, cells, width: natural }: Laid): number {
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
 * A text without its least useful words: the first function applies if it is wider than a line, the others if
 * it is wider than the room.
 */
function shortenedTo(whole: string, shorten: Column['shorten'] = [], line: number, room: number) {
  const [first, ...others] = shorten;
  if (first === undefined || stringWidth(whole) <= line) return whole;
  return others.reduce((text, more) => (stringWidth(text) > room ? more(text) : text), first(whole));
}

/** A text in two lines, each broken at a space if there is one, with `…` where it is too long for two. */
function wrapped(text: string, width: number) {
  const first = beginning(text, width);
  const rest = text.slice(first.length).trimStart();
  const second = stringWidth(rest) <= width ? rest : `${beginning(rest, width - 1).trimEnd()}…`;
  return [fitted(first, width, {}), fitted(second, width, {})];
}

/** The beginning of a text that fits into a width, up to a space if one is near. */
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

/** The columns that fit once all columns that may be cut are cut. */
function withoutDropped(columns: readonly Laid[], width: number) {
  const needed = ({ width: natural, least = natural }: Laid) => Math.min(natural, least);
  const last = Math.max(...columns.map(({ drop = 0 }) => drop));
  if (last === 0 || totalOf(columns, needed) <= width) return [...columns];
  const fewer = columns.filter(({ drop = 0 }) => drop !== last);
  return withoutDropped(fewer, width);
}

/** Cuts the widest columns until the table fits, beginning with those that may be cut for the sake of others. */
function narrowed(columns: readonly Laid[], width: number): Laid[] {
  const missing = totalOf(columns, ({ width: natural }) => natural) - width;
  const spare = ({ width: natural, least = natural }: Laid) => natural - least;
  const last = ({ width: natural, align, isWhole = align === 'right' }: Laid) => (isWhole ? 0 : natural - minWidth);
  const roomOf = columns.some((column) => spare(column) > 0) ? spare : last;
  const room = Math.max(...columns.map(roomOf));
  if (missing <= 0 || room <= 0) return [...columns];
  const at = columns.findIndex((column) => roomOf(column) === room);
  const cut = (column: Laid): Laid => ({ ...column, width: column.width - Math.min(missing, room) });
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
  // A wide character that is cut in two is kept whole.
  const over = stringWidth(kept) - (width - 1);
  if (over <= 0) return cut === 'start' ? `…${kept}` : `${kept}…`;
  return cut === 'start' ? `…${part(natural - width + 1 + over, natural)}` : `${part(0, width - 1 - over)}…`;
}
