import type { StageDelay } from '../../domain/stages.ts';
import { byName } from '../../lib/by-name.ts';
import type { Attempts, Life, Period } from './attempts.ts';
import { causesOf } from './causes.ts';
import type { PhaseBand } from './phases.ts';
import { binsOf, levelsOf, seriesOf } from './series.ts';
import { cellsOf, spansOf, workersOf } from './slots.ts';

/**
 * The delays of a stage, with their buckets: `[n, items]`, where bucket n contains the delays from 1.25^(n-1)
 * to 1.25^n milliseconds.
 */
export interface StagePicture extends StageDelay {
  buckets: [bucket: number, items: number][];
}

/** The life of an execution as numbers to draw. Times are milliseconds since 1970. */
export interface Picture extends ReturnType<typeof pictureOf> {
  phases: PhaseBand[];
  latency: StagePicture[];
}

/** A part of an execution's life, and how much of it to draw. Times are milliseconds since 1970. */
export interface WantedPicture extends Period {
  life: Life;
  /** The moment from which bins are laid out: when work began, so that no bin with work begins earlier. */
  anchor: number;
  maxBins: number;
  /** Maximum number of values per level if levels are drawn in steps finer than bins. */
  maxLevels: number;
  /** Minimum bin width, in milliseconds, if the whole life is shown. */
  minWidth: number;
  /** Maximum number of attempts at a slice after the first. */
  maxRetries: number;
  /**
   * The slots whose cells or spans are wanted, in the order of their names: `slots` of them, beginning with
   * `firstSlot`.
   */
  firstSlot: number;
  slots: number;
  /** If there are more spans than this, cells are returned instead. */
  maxSpans: number;
}

/** The part of a picture that depends only on the attempts. */
export function pictureOf(attempts: Attempts, wanted: WantedPicture) {
  const { life, from, until, anchor, maxBins, maxLevels, maxRetries } = wanted;
  const bins = binsOf({ from, until }, { anchor, most: maxBins, least: minWidthOf(wanted) });
  const window = { from: bins.from, until: Math.min(Math.max(life.end, from), bins.from + bins.count * bins.width) };
  const names = attempts.names.worker.all;
  const inOrder = names.map((_, number) => number).toSorted((a, b) => byName(names[a] ?? '', names[b] ?? ''));
  const slots = inOrder.slice(wanted.firstSlot, wanted.firstSlot + wanted.slots);
  // Spans, or cells if there are too many spans; neither if no slot is requested.
  const spans = slots.length === 0 ? undefined : spansOf(attempts, window, { slots, life, most: wanted.maxSpans });
  const isCoarse = slots.length > 0 && spans === undefined;
  return {
    bins,
    series: seriesOf(attempts, bins, life, maxRetries),
    levels: levelsOf(attempts, bins, life, maxLevels),
    causes: causesOf(attempts, window, maxRetries),
    workers: workersOf(attempts, window, life).map((one) => ({ ...one, worker_id: names[one.worker] ?? '' })),
    /** Number of slots that have started a slice so far. */
    slotCount: names.length,
    slots: slots.map((number) => names[number] ?? ''),
    cells: isCoarse ? cellsOf(attempts, bins, slots, life) : undefined,
    spans,
  };
}

/**
 * Minimum number of bins for a part of an execution's life: people look at a part to see individual STFs
 * arrive.
 */
const fewestOfPart = 40;

function minWidthOf({ life, from, until, minWidth }: WantedPicture) {
  const isPart = from > life.start || until < life.end;
  return isPart ? Math.min(minWidth, (until - from) / fewestOfPart) : minWidth;
}
