import type { StageDelay } from '../../domain/stages.ts';
import { byName } from '../../lib/by-name.ts';
import type { Attempts, Life, Period } from './attempts.ts';
import { causesOf } from './causes.ts';
import type { PhaseBand } from './phases.ts';
import { binsOf, levelsOf, seriesOf } from './series.ts';
import { cellsOf, spansOf, workersOf } from './slots.ts';

/**
 * Delays of a stage with their buckets: `[n, items]`, where bucket n holds delays from 1.25^(n-1) to 1.25^n
 * milliseconds.
 */
export interface StagePicture extends StageDelay {
  buckets: [bucket: number, items: number][];
}

/** The life of an execution as numbers to draw. Times are milliseconds since 1970. */
export interface Picture extends ReturnType<typeof pictureOf> {
  phases: PhaseBand[];
  latency: StagePicture[];
}

/** A part of a life, and how much of it to draw. Times are milliseconds since 1970. */
export interface WantedPicture extends Period {
  life: Life;
  /** The moment from which bins count: when work began, so that none with work begins before. */
  anchor: number;
  maxBins: number;
  /** The most steps of levels that are finer than bins. */
  maxLevels: number;
  /** Smallest bin width if the whole life is shown, in milliseconds. */
  minWidth: number;
  /** Attempts after the first that a slice may have. */
  maxRetries: number;
  /** Slots whose cells or spans are wanted: `slots` of them from `firstSlot` on, by name. */
  firstSlot: number;
  slots: number;
  /** With more spans than this, cells are returned instead. */
  maxSpans: number;
}

/** The part of a picture that follows from the attempts alone. */
export function pictureOf(attempts: Attempts, wanted: WantedPicture) {
  const { life, from, until, anchor, maxBins, maxLevels, maxRetries } = wanted;
  const bins = binsOf({ from, until }, { anchor, most: maxBins, least: minWidthOf(wanted) });
  const window = { from: bins.from, until: Math.min(Math.max(life.end, from), bins.from + bins.count * bins.width) };
  const names = attempts.names.worker.all;
  const inOrder = names.map((_, number) => number).toSorted((a, b) => byName(names[a] ?? '', names[b] ?? ''));
  const slots = inOrder.slice(wanted.firstSlot, wanted.firstSlot + wanted.slots);
  // Spans, or cells if there are too many; neither if no slot is requested.
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

/** Fewest bins for a part of a life: people look at a part to see single STFs arrive. */
const fewestOfPart = 40;

function minWidthOf({ life, from, until, minWidth }: WantedPicture): number {
  const isPart = from > life.start || until < life.end;
  return isPart ? Math.min(minWidth, (until - from) / fewestOfPart) : minWidth;
}
