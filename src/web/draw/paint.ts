import { type SliceStatus, sliceStatuses } from '../../domain/slice-states.ts';
import type { Timeline } from '../shared/answers.ts';
import { spanOf } from './span.ts';

/**
 * A bar of work: the row of its slot, its times in milliseconds from the start of the window, its state,
 * and the attempt that it shows.
 */
export interface Bar {
  row: number;
  start: number;
  end: number;
  state: SliceStatus;
  stf: string;
  sliceId: number;
  attempt: number;
  isOpen: boolean;
}

/** Colours as 32-bit numbers in the order of little-endian pixels: ABGR. */
export type Colours = Readonly<Record<'completed' | 'alternate' | 'failed' | 'processing' | 'lost' | 'ground', number>>;

/** `rgb(r, g, b)` as a pixel. */
export function pixelOf(colour: string) {
  const [red = 0, green = 0, blue = 0] = (colour.match(/\d+/g) ?? []).map(Number);
  return ((0xff << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** The picture to paint into: its size in pixels and the height of a row. */
interface Ground {
  pixels: Uint32Array;
  width: number;
  height: number;
  rowHeight: number;
}

/**
 * Paints bars pixel by pixel: the 162,000 bars of a long run take a hundredth of a second. Bars of a row
 * alternate between two shades, and a pixel of background separates bars that touch, so each shows its true
 * length. Failures are painted last and stay visible however narrow they are.
 */
export function paintBars(ground: Ground, bars: readonly Bar[], span: number, colours: Colours) {
  ground.pixels.fill(colours.ground);
  const rows = new Map<number, { isAlternate: boolean; until: number }>();
  const failed: [row: number, edges: Edges][] = [];
  for (const bar of bars) {
    const last = rows.get(bar.row) ?? { isAlternate: true, until: -1 };
    const place = parted(edges(bar, span, ground.width), last.until);
    rows.set(bar.row, { isAlternate: !last.isAlternate, until: Math.max(place[1], last.until) });
    if (bar.state === 'failed') failed.push([bar.row, widened(place, ground.width)]);
    else fill(ground, bar.row, place, colourOf(bar, last.isAlternate, colours));
  }
  for (const [row, place] of failed) fill(ground, row, place, colours.failed);
}

function colourOf({ state, isOpen }: Bar, isAfterAlternate: boolean, colours: Colours) {
  if (isOpen) return colours.processing;
  if (state === 'completed') return isAfterAlternate ? colours.completed : colours.alternate;
  // The attempt was in progress, but its worker is gone or has returned the slice.
  return colours.lost;
}

const minParted = 3;

/** The edges of a bar, moved one pixel away from the previous bar if the bar is wide enough. */
const parted = ([left, right]: Edges, before: number): Edges =>
  left <= before && right - before > minParted ? [before + 1, right] : [left, right];

/**
 * Paints cells, one character per bin: the shade shows how busy a bin is, and a failure fills the bin's lower half.
 */
export function paintCells(ground: Ground, cells: readonly string[], colours: Colours) {
  ground.pixels.fill(colours.ground);
  for (const [row, line] of cells.entries()) {
    for (let bin = 0; bin < line.length; bin += 1) {
      const character = line[bin] ?? '.';
      if (character === '.') continue;
      const left = Math.floor((bin / line.length) * ground.width);
      const right = Math.max(left + 1, Math.floor(((bin + 1) / line.length) * ground.width));
      const tenths = '.123456789#'.indexOf(character);
      // It is not known how busy a bin with a failure was.
      if (tenths < 0) fill(ground, row, [left, right], colours.failed, 0.5);
      else fill(ground, row, [left, right], mixed(colours.ground, colours.completed, tenths / 10));
    }
  }
}

type Edges = [left: number, right: number];

function edges({ start, end }: Bar, span: number, width: number): Edges {
  const left = Math.max(0, Math.floor((start / span) * width));
  const right = Math.min(width, Math.max(left + 1, Math.ceil((end / span) * width)));
  return [left, right];
}

const minFailure = 3;

const widened = ([left, right]: Edges, width: number): Edges =>
  right - left >= minFailure ? [left, right] : [Math.max(0, left - 1), Math.min(width, left + minFailure - 1)];

function fill(ground: Ground, row: number, [left, right]: Edges, colour: number, from = 0) {
  const { pixels, width, height, rowHeight } = ground;
  const top = row * rowHeight + Math.floor(from * rowHeight);
  // Leave a line of background between rows, if there is room.
  const bottom = Math.min(height, (row + 1) * rowHeight - (rowHeight > 3 ? 1 : 0));
  for (let y = top; y < bottom; y += 1) pixels.fill(colour, y * width + left, y * width + right);
}

function mixed(from: number, to: number, part: number) {
  const channel = (shift: number) => {
    const [a, b] = [(from >>> shift) & 0xff, (to >>> shift) & 0xff];
    return Math.round(a + (b - a) * (0.25 + 0.75 * part)) << shift;
  };
  return ((0xff << 24) | channel(16) | channel(8) | channel(0)) >>> 0;
}

const inRow = (bars: readonly Bar[], row: number) => bars.filter((bar) => bar.row === row);

/** The bar at a place, or one no farther away than `slack`. Prefers failures, because people look for them. */
export function barAt(bars: readonly Bar[], row: number, time: number, slack: number) {
  const near = inRow(bars, row).filter(({ start, end }) => start - slack <= time && end + slack >= time);
  return near.find(({ state }) => state === 'failed') ?? near[0];
}

/** The bar next to the given one in its row, or the nearest bar in the row above or below. */
export function barBeside(bars: readonly Bar[], bar: Bar, step: 'left' | 'right' | 'up' | 'down') {
  const row = inRow(bars, bar.row);
  // A live run arrives as new objects every few seconds, so compare fields.
  const place = row.findIndex(
    ({ stf, sliceId, attempt }) => stf === bar.stf && sliceId === bar.sliceId && attempt === bar.attempt,
  );
  if (place < 0) return row[0] ?? bar;
  if (step === 'left') return row[place - 1] ?? bar;
  if (step === 'right') return row[place + 1] ?? bar;
  const next = inRow(bars, bar.row + (step === 'up' ? -1 : 1));
  return next.find((one) => one.end >= bar.start) ?? next.at(-1) ?? bar;
}

/** The earliest bar of the first row that has one. */
export const firstBar = (bars: readonly Bar[]) => bars.toSorted((a, b) => a.row - b.row)[0];

/**
 * The attempts of a timeline as bars, ordered by start.
 * @param hasEnded whether the execution has ended, so that nothing is in progress
 */
export function barsOf(timeline: Timeline, hasEnded: boolean): Bar[] {
  const { spans = [], stfs = [] } = timeline;
  const { from, until } = spanOf(timeline);
  const end = until - from;
  return spans
    .map(([row = 0, start = 0, length = 0, state = 0, stf = 0, sliceId = 0, attempt = 1]) => ({
      row,
      start,
      end: length < 0 ? end : start + length,
      isOpen: length < 0 && !hasEnded,
      state: sliceStatuses[state] ?? 'queued',
      stf: stfs[stf] ?? '',
      sliceId,
      attempt,
    }))
    .toSorted((a, b) => a.start - b.start);
}

/**
 * Whether an attempt ended without a result: its worker disappeared or returned the slice, or its execution ended.
 */
export const isLost = ({ state, isOpen }: Bar) => !isOpen && (state === 'processing' || state === 'queued');
