import type { Queries } from '../../db/queries.ts';
import { tried } from '../../lib/tried.ts';
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
  // Other parts report a store that cannot be read just now; the next painting may find it again.
  const repaint = (): void => tried(() => paintNow());
  const paintNow = (): void => {
    // The answer to a key may come after the summary was printed.
    if (shown === undefined || isOver) return;
    const snapshot = takeSnapshot(queries(), shown);
    const lines = renderView(snapshot, rates(snapshot, performance.now()), {
      columns: terminal.columns(),
      rows: terminal.rows() - 2,
      paint,
      storeOption,
    });
    // The screen shows one line less than it has rows.
    const room = Math.max(1, terminal.rows() - 2);
    screen.paint(below === undefined ? lines : [...lines.slice(0, room), cut(below, terminal.columns() - 1)]);
  };
  const timer = setInterval(repaint, paintMilliseconds);
  return {
    /** Shows this execution from now on. */
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
