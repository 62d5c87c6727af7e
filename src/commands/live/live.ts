import type { Queries } from '../../db/queries.ts';
import { createPaint } from '../shared/palette.ts';
import type { Terminal } from '../shared/terminal.ts';
import { cut, renderView } from './live-view.ts';
import { createScreen } from './screen.ts';
import { createRates, takeSnapshot } from './snapshot.ts';

/** How often the view is painted: often enough to look alive, seldom enough to look calm. */
const paintMilliseconds = 250;

export type Live = ReturnType<typeof startLive>;

/** A view of an execution that is painted over and over on a terminal. `queries` gives the store at the moment of painting. */
export function startLive(terminal: Terminal, queries: () => Queries, storeOption: string) {
  const screen = createScreen(terminal);
  const paint = createPaint(terminal.colorDepth);
  const rates = createRates();
  let shown: string | undefined;
  let below: string | undefined;
  let isOver = false;
  const repaint = (): void => {
    // The answer to a key may come after the summary was printed.
    if (shown === undefined || isOver) return;
    try {
      const snapshot = takeSnapshot(queries(), shown);
      const columns = terminal.columns();
      // The screen leaves one row free, and one is for the line below the view.
      const rows = terminal.rows() - 2;
      const lines = renderView(snapshot, rates(snapshot, performance.now()), { columns, rows, paint, storeOption });
      screen.paint(below === undefined ? lines : [...lines.slice(0, Math.max(1, rows)), cut(below, columns - 1)]);
    } catch {
      // Other parts report a store that cannot be read just now; the next painting may find it again.
    }
  };
  const timer = setInterval(repaint, paintMilliseconds);
  return {
    show(executionId: string): void {
      shown = executionId;
      repaint();
    },
    /** Writes a line above the view. */
    print: (line: string): void => screen.print(line),
    /** Shows a line below the view: what keys do, or the outcome of a key. */
    footer(line: string): void {
      below = line;
      repaint();
    },
    end(): void {
      isOver = true;
      clearInterval(timer);
      screen.end();
    },
  };
}
