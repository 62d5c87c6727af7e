import { describe, expect, it } from 'vitest';

import { type Bar, barAt, barBeside, barsOf, firstBar, isLost, paintBars } from '../../src/web/draw/paint.ts';
import type { Timeline } from '../../src/web/shared/answers.ts';

const colours = { ground: 0, completed: 1, alternate: 2, failed: 3, processing: 4, lost: 5 };
const letters = '.aAFPL';

const barOf = (bar: Partial<Bar>): Bar => ({
  row: 0,
  start: 0,
  end: 0,
  state: 'completed',
  stf: 's',
  sliceId: 0,
  attempt: 1,
  isOpen: false,
  ...bar,
});

/** Rows of a chart of 20 pixels, each pixel as the letter of its colour. */
function drawn(bars: readonly Partial<Bar>[], rows = 1): string[] {
  const width = 20;
  const pixels = new Uint32Array(width * rows);
  paintBars({ pixels, width, height: rows, rowHeight: 1 }, bars.map(barOf), 100, colours);
  const text = Array.from(pixels, (pixel) => letters[pixel]).join('');
  return Array.from({ length: rows }, (_, row) => text.slice(row * width, (row + 1) * width));
}

describe('the bars of workers', () => {
  it.each<[string, Partial<Bar>[], string]>([
    ['are as long as their work', [{ start: 10, end: 40 }], '..aaaaaa............'],
    ['that follow each other alternate in colour', [{ end: 20 }, { start: 30, end: 50 }], 'aaaa..AAAA..........'],
    ['that touch are separated', [{ end: 25 }, { start: 25, end: 50 }, { start: 50, end: 75 }], 'aaaaa.AAAA.aaaa.....'],
    [
      'that failed one after the other are separated',
      [
        { end: 25, state: 'failed' },
        { start: 25, end: 50, state: 'failed' },
      ],
      'FFFFF.FFFF..........',
    ],
    ['of failures too short to be seen are widened', [{ start: 50, end: 51, state: 'failed' }], '.........FFF........'],
    [
      'in hand continue to the end, unless they are lost',
      [
        { start: 10, end: 30, state: 'processing', isOpen: true },
        { start: 60, end: 80, state: 'processing' },
      ],
      '..PPPP......LLLL....',
    ],
  ])('%s', (_, bars, line) => {
    expect(drawn(bars)).toEqual([line]);
  });

  it('alternate in colour within their row', () => {
    const bars = [0, 20, 40, 60].flatMap((start) => [
      { row: 0, start, end: start + 15 },
      { row: 1, start: start + 1, end: start + 15 },
    ]);
    const rows = drawn(bars, 2);
    expect(rows.map((row) => row.replaceAll(/\.|(.)(?=\1)/g, ''))).toEqual(['aAaA', 'aAaA']);
  });

  it('fill their row together if each is narrower than a pixel', () => {
    const bars = Array.from({ length: 50 }, (_, at) => ({ start: at * 2, end: at * 2 + 2 }));
    expect(drawn(bars)).toEqual([expect.stringMatching(/^[aA]{20}$/)]);
  });
});

describe('a bar of a worker', () => {
  const bars = [
    { row: 1, start: 0, end: 10, sliceId: 1 },
    { row: 1, start: 20, end: 30, sliceId: 2 },
    { row: 1, start: 30, end: 40, sliceId: 3, state: 'failed' as const },
    { row: 2, start: 5, end: 25, sliceId: 4 },
    { row: 2, start: 35, end: 45, sliceId: 5 },
  ].map(barOf);
  const named = (sliceId: number): Bar => barOf(bars.find((bar) => bar.sliceId === sliceId) ?? {});

  it('that is gone when an arrow key is pressed is replaced by the first bar of its row', () => {
    expect(barBeside(bars, barOf({ row: 2, sliceId: 9 }), 'right').sliceId).toBe(4);
  });

  it.each([
    ['under the cursor is picked', 1, 5, 1],
    ['beside the cursor is picked if no bar is under it', 1, 12, 1],
    ['with a failure is picked if several are near', 1, 29, 3],
    ['far away is not picked', 1, 15, undefined],
    ['in another row is not picked', 3, 5, undefined],
  ])('%s', (_, row, time, sliceId) => {
    expect(barAt(bars, row, time, 3)?.sliceId).toBe(sliceId);
  });

  it.each([
    [2, 'left', 1],
    [2, 'right', 3],
    [1, 'left', 1],
    [3, 'right', 3],
    [2, 'down', 4],
    [3, 'down', 5],
    [5, 'up', 3],
    [4, 'down', 4],
  ] as const)('is reached with an arrow key: from slice %i %s to slice %i', (from, step, to) => {
    // As in a live run, where every answer has new objects.
    expect(barBeside(bars, named(from), step).sliceId).toBe(to);
    expect(firstBar(bars.toReversed().toSorted((a, b) => a.start - b.start))?.sliceId).toBe(1);
  });
});

it('work in hand is open while its execution runs, and lost once the execution has ended', () => {
  const [queued, processing, completed] = [0, 1, 2];
  const timeline = {
    from: '2026-01-01T00:00:00.000Z',
    until: '2026-01-01T00:00:10.000Z',
    bin_seconds: 1,
    stfs: ['swf.1.000001.stf'],
    // Row, start, length (-1: none yet), state, STF, slice, attempt.
    spans: [
      [0, 4000, -1, processing, 0, 3, 1],
      // Its worker returned it.
      [0, 5000, 1000, queued, 0, 4, 1],
      [0, 7000, 1000, completed, 0, 5, 1],
    ],
  } as unknown as Timeline;
  const [open, ended] = [barsOf(timeline, false), barsOf(timeline, true)];
  expect(open[0]).toMatchObject({ start: 4000, end: 10_000, isOpen: true, state: 'processing', sliceId: 3 });
  expect(open.map(isLost)).toEqual([false, true, false]);
  expect(ended.map(isLost)).toEqual([true, true, false]);
});
