/** A bar of work: the row of its slot, its times in milliseconds from the beginning of the window, its state, and which one it is. */
export interface Bar {
  row: number;
  start: number;
  end: number;
  state: BarState;
  stf: string;
  sliceId: number;
  attempt: number;
  isOpen: boolean;
}

export type BarState = 'completed' | 'failed' | 'processing' | 'queued';

/** Colours as 32-bit numbers of little-endian pixels: ABGR. */
export type Colours = Readonly<Record<'completed' | 'alternate' | 'failed' | 'processing' | 'lost' | 'ground', number>>;

/** `#rrggbb` as a pixel. */
export function pixelOf(hex: string): number {
  const number = Number.parseInt(hex.trim().slice(1), 16);
  return ((0xff << 24) | ((number & 0xff) << 16) | (number & 0xff00) | (number >> 16)) >>> 0;
}

/** The picture to paint into: its size in pixels and the height of a row. */
export interface Ground {
  pixels: Uint32Array;
  width: number;
  height: number;
  rowHeight: number;
}

/**
 * Paints bars by pixels: of the 162,000 of a long run in a hundredth of a second. Those of a row take turns in two shades, and a line of ground parts
 * those that touch, so that each is seen as long as it is. Failures come last and are seen however narrow they are.
 */
export function paintBars(ground: Ground, bars: readonly Bar[], span: number, colours: Colours): void {
  ground.pixels.fill(colours.ground);
  const rows = new Map<number, { isAlternate: boolean; until: number }>();
  const failed: [row: number, edges: [number, number]][] = [];
  for (const bar of bars) {
    const last = rows.get(bar.row) ?? { isAlternate: true, until: -1 };
    const place = parted(edges(bar, span, ground.width), last.until);
    rows.set(bar.row, { isAlternate: !last.isAlternate, until: Math.max(place[1], last.until) });
    if (bar.state === 'failed') failed.push([bar.row, widened(place, ground.width)]);
    else fill(ground, bar.row, place, colourOf(bar, last.isAlternate, colours));
  }
  for (const [row, place] of failed) fill(ground, row, place, colours.failed);
}

function colourOf({ state, isOpen }: Bar, isAfterAlternate: boolean, colours: Colours): number {
  if (isOpen || state === 'queued') return colours.processing;
  // In hand, and nobody works any more.
  if (state === 'processing') return colours.lost;
  return isAfterAlternate ? colours.completed : colours.alternate;
}

const leastParted = 3;

/** The edges of a bar a pixel away from the one before it, where it is wide enough for that. */
function parted([left, right]: [number, number], before: number): [number, number] {
  return left <= before && right - before > leastParted ? [before + 1, right] : [left, right];
}

/** Paints cells, a character a bin: busy parts by their shade, failures over all of the bin. */
export function paintCells(ground: Ground, cells: readonly string[], colours: Colours): void {
  ground.pixels.fill(colours.ground);
  for (const [row, line] of cells.entries()) {
    for (let bin = 0; bin < line.length; bin += 1) {
      const character = line[bin] ?? '.';
      if (character === '.') continue;
      const left = Math.floor((bin / line.length) * ground.width);
      const right = Math.max(left + 1, Math.floor(((bin + 1) / line.length) * ground.width));
      const colour =
        character === '!'
          ? colours.failed
          : mixed(colours.ground, colours.completed, character === '#' ? 1 : Number(character) / 10);
      fill(ground, row, [left, right], colour);
    }
  }
}

function edges({ start, end }: Bar, span: number, width: number): [number, number] {
  const left = Math.max(0, Math.floor((start / span) * width));
  const right = Math.min(width, Math.max(left + 1, Math.ceil((end / span) * width)));
  return [left, right];
}

const leastFailure = 3;

function widened([left, right]: [number, number], width: number): [number, number] {
  return right - left >= leastFailure
    ? [left, right]
    : [Math.max(0, left - 1), Math.min(width, left + leastFailure - 1)];
}

function fill(
  { pixels, width, height, rowHeight }: Ground,
  row: number,
  [left, right]: [number, number],
  colour: number,
): void {
  const top = row * rowHeight;
  // A line of ground between rows, where there is room for it.
  const bottom = Math.min(height, top + (rowHeight > 3 ? rowHeight - 1 : rowHeight));
  for (let y = top; y < bottom; y += 1) pixels.fill(colour, y * width + left, y * width + right);
}

function mixed(from: number, to: number, part: number): number {
  const channel = (shift: number): number => {
    const [a, b] = [(from >>> shift) & 0xff, (to >>> shift) & 0xff];
    return Math.round(a + (b - a) * (0.25 + 0.75 * part)) << shift;
  };
  return ((0xff << 24) | channel(16) | channel(8) | channel(0)) >>> 0;
}

/** Finds bars by place: those of each row in the order of their starts. */
export class BarIndex {
  readonly #rows = new Map<number, Bar[]>();

  constructor(bars: readonly Bar[]) {
    for (const bar of bars) {
      const row = this.#rows.get(bar.row);
      if (row === undefined) this.#rows.set(bar.row, [bar]);
      else row.push(bar);
    }
    for (const row of this.#rows.values()) row.sort((a, b) => a.start - b.start);
  }

  /** The bar at a place, or the nearest one within a tolerance. Failures go first: they are what is looked for. */
  at(row: number, time: number, tolerance: number): Bar | undefined {
    const near = (this.#rows.get(row) ?? []).filter(
      (bar) => bar.start - tolerance <= time && bar.end + tolerance >= time,
    );
    return near.find((bar) => bar.state === 'failed') ?? near[0];
  }

  /** The bar beside another one in its row, or the nearest in the row above or below. */
  beside(bar: Bar, step: 'left' | 'right' | 'up' | 'down'): Bar {
    const row = this.#rows.get(bar.row) ?? [];
    // A live run is told anew each few seconds, in other objects.
    const place = row.findIndex(
      ({ stf, sliceId, attempt }) => stf === bar.stf && sliceId === bar.sliceId && attempt === bar.attempt,
    );
    if (place < 0) return row[0] ?? bar;
    if (step === 'left') return row[place - 1] ?? bar;
    if (step === 'right') return row[place + 1] ?? bar;
    const next = this.#rows.get(bar.row + (step === 'up' ? -1 : 1)) ?? [];
    return next.find((one) => one.end >= bar.start) ?? next.at(-1) ?? bar;
  }

  first(): Bar | undefined {
    return [...this.#rows.entries()].toSorted(([a], [b]) => a - b)[0]?.[1][0];
  }
}
