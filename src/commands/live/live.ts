import stringWidth from 'fast-string-width';

import type { Queries } from '../../db/queries.ts';
import { showCursor, type Terminal } from '../shared/io.ts';
import { createPaint } from '../shared/palette.ts';
import { cut, renderView } from './live-view.ts';
import { createRates, takeSnapshot } from './snapshot.ts';

/** How often the view is painted: often enough to look live, rarely enough not to flicker. In milliseconds. */
const paintMilliseconds = 250;

export type Live = ReturnType<typeof startLive>;

/**
 * A view of an execution that is painted over and over on a terminal. `queries` returns the store at the time
 * of painting.
 */
export function startLive(terminal: Terminal, queries: () => Queries, storeOption: string) {
  const screen = createScreen(terminal);
  const paint = createPaint(terminal.colorDepth);
  const rates = createRates();
  let shown: string | undefined;
  let below: string | undefined;
  let isOver = false;
  const repaint = () => {
    // The answer to a key press may arrive after the summary has been printed.
    if (shown === undefined || isOver) return;
    try {
      const snapshot = takeSnapshot(queries(), shown);
      const columns = terminal.columns();
      // One row stays free, and the line below the view takes another.
      const rows = terminal.rows() - 2;
      const lines = renderView(snapshot, rates(snapshot, performance.now()), { columns, rows, paint, storeOption });
      screen.paint(below === undefined ? lines : [...lines.slice(0, Math.max(1, rows)), cut(below, columns - 1)]);
    } catch {
      // If the store cannot be read, other parts report this; it may be readable at the next repaint.
    }
  };
  const timer = setInterval(repaint, paintMilliseconds);
  return {
    show(executionId: string) {
      shown = executionId;
      repaint();
    },
    /** Writes a line above the view. */
    print: (line: string) => screen.print(line),
    /** Shows a line below the view: what the keys do, or the effect of a key. */
    footer(line: string) {
      below = line;
      repaint();
    },
    end() {
      isOver = true;
      clearInterval(timer);
      screen.end();
    },
  };
}

const hideCursor = '\u001B[?25l';
const eraseToEndOfLine = '\u001B[K';
const clearAll = '\u001B[2J\u001B[H';
const eraseBelow = '\u001B[J';

/** A few lines at the bottom of a terminal that are painted repeatedly, below other lines. */
export function createScreen(terminal: Terminal) {
  let shown: readonly string[] = [];
  let columns = terminal.columns();
  let rows = terminal.rows();

  /** Moves to the first painted line. After a resize a line may take more than one row. */
  const toTop = () => {
    const width = Math.max(1, terminal.columns());
    const height = shown.reduce((sum, line) => sum + Math.max(1, Math.ceil(stringWidth(line) / width)), 0);
    return height === 0 ? '' : `\u001B[${Math.min(height, terminal.rows())}A\r`;
  };

  return {
    /** Shows these lines instead of the previous ones. Writes nothing if nothing has changed. */
    paint(lines: readonly string[]) {
      const fitting = lines.slice(0, Math.max(1, terminal.rows() - 1));
      const isSame = fitting.length === shown.length && fitting.every((line, index) => line === shown[index]);
      const isResized = columns !== terminal.columns() || rows !== terminal.rows();
      if (isSame && !isResized) return;
      const body = fitting.map((line) => `${line}${eraseToEndOfLine}\n`).join('');
      // One write, without erasing first, so that unchanged text does not flicker. After a resize it is unknown
      // where the previous lines are.
      terminal.write(`${hideCursor}${isResized ? clearAll : toTop()}${body}${eraseBelow}`);
      shown = fitting;
      columns = terminal.columns();
      rows = terminal.rows();
    },
    /** Writes a permanent line above the painted lines. */
    print(line: string) {
      const below = shown;
      terminal.write(`${toTop()}${eraseBelow}${line}\n`);
      shown = [];
      if (below.length > 0) this.paint(below);
    },
    /** Removes the painted lines and restores the cursor. */
    end() {
      terminal.write(`${toTop()}${eraseBelow}${showCursor}`);
      shown = [];
    },
  };
}
