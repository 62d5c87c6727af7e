import { completedState, failedState } from '../../domain/slice-states.ts';
import { type Attempts, type Life, type Period, endOfWork, goesOn } from './attempts.ts';

/**
 * Counts of events in each bin, levels at its end, and the peaks of levels within it. Levels sum up
 * everything before, so only counts are needed from outside the window, and at the end of life they equal the
 * stored counts: an attempt abandoned at the end of a stopped execution is in progress until then and waits
 * afterwards.
 * @param maxRetries attempts after the first that a slice may have
 */
export function seriesOf(attempts: Attempts, bins: Bins, life: Life, maxRetries: number) {
  const counters = countAttempts(attempts, bins, life, maxRetries);
  const { queued, processing } = counters;
  /** Wall time from hand-over to result of the slices completed in the bin, or null. */
  const mean_seconds = counters.work.map((milliseconds, bin) => {
    const slices = counters.timed[bin] as number;
    return slices === 0 ? null : Math.round(milliseconds / slices) / 1000;
  });
  return {
    ...counters.series,
    queued: queued.ends(),
    processing: processing.ends(),
    queued_peak: queued.peaks(),
    processing_peak: processing.peaks(),
    mean_seconds,
  };
}

function countAttempts(attempts: Attempts, bins: Bins, life: Life, maxRetries: number) {
  const counters = countersOf(bins);
  for (let at = 0; at < attempts.length; at += 1) addAttempt(counters, attempts, at, life, maxRetries);
  return counters;
}

type Counters = ReturnType<typeof countersOf>;

function countersOf(bins: Bins) {
  const zeros = () => Array.from({ length: bins.count }, () => 0);
  return {
    series: {
      /** Slices that were made. */
      arrived: zeros(),
      completed: zeros(),
      failed_attempts: zeros(),
      /** Slices that failed without a retry left. */
      exhausted: zeros(),
    },
    queued: levelIn(bins),
    processing: levelIn(bins),
    /** Milliseconds from hand-over to result of the slices completed in each bin. */
    work: zeros(),
    /** The slices for which that is known. */
    timed: zeros(),
    count: (into: number[], time: number, by = 1) => {
      const bin = binOf(bins, time);
      if (bin >= 0 && bin < bins.count) into[bin] = (into[bin] as number) + by;
    },
  };
}

/** A level that goes up and down by one. Times are milliseconds since 1970. */
function levelIn({ from, width, count }: Bins) {
  const ups: number[] = [];
  const downs: number[] = [];
  const until = from + count * width;
  const inOrder = (times: readonly number[]) => Float64Array.from(times).toSorted();
  return {
    up: (time: number) => void (time < until && ups.push(time)),
    down: (time: number) => void (time < until && downs.push(time)),
    /** At the end of each bin. */
    ends(): number[] {
      const changes = Array.from({ length: count }, () => 0);
      // Changes before the window go into its first bin.
      const add = (times: readonly number[], by: number) => {
        for (const time of times) {
          const bin = Math.max(0, binOf({ from, width }, time));
          changes[bin] = (changes[bin] as number) + by;
        }
      };
      add(ups, 1);
      add(downs, -1);
      let level = 0;
      return changes.map((change) => (level += change));
    },
    /** The most at once in each bin. An item that ends at a moment makes room for one that begins then. */
    peaks(): number[] {
      const [up, down] = [inOrder(ups), inOrder(downs)];
      let [level, begun, ended] = [0, 0, 0];
      const endBy = (time: number) => {
        for (; (down[ended] as number) <= time; ended += 1) level -= 1;
      };
      return Array.from({ length: count }, (_, bin) => {
        const start = from + bin * width;
        for (; (up[begun] as number) <= start; begun += 1) level += 1;
        endBy(start);
        let peak = level;
        for (; (up[begun] as number) < start + width; begun += 1) {
          endBy(up[begun] as number);
          level += 1;
          peak = Math.max(peak, level);
        }
        return peak;
      });
    },
  };
}

/** Counts the events of an attempt, and the levels that it changes. */
function addAttempt(counters: Counters, attempts: Attempts, at: number, life: Life, maxRetries: number) {
  const { series, queued: waiting, processing, work, timed, count } = counters;
  const queued = attempts.queued[at] as number;
  const begun = attempts.started[at] as number;
  const end = Math.max(queued, attempts.completed[at] as number);
  const attempt = attempts.attempt[at] as number;
  const state = attempts.state[at];
  // Nothing ends before it began, even if a clock was set back.
  const started = Math.max(queued, begun);
  const isStarted = !Number.isNaN(started);
  waiting.up(queued);
  if (isStarted) {
    waiting.down(started);
    processing.up(started);
  }
  if (!Number.isNaN(end)) {
    if (isStarted) processing.down(Math.max(started, end));
    else waiting.down(end);
  } else if (isStarted && !goesOn(life)) {
    processing.down(endOfWork(life));
    // An attempt abandoned at the end waits again; if the driver is gone, it is lost.
    if (life.hasEnded) waiting.up(life.end);
  }
  if (attempt === 1) count(series.arrived, queued);
  if (state === completedState) count(series.completed, end);
  if (state === completedState && !Number.isNaN(begun)) {
    count(work, end, Math.max(0, end - begun));
    count(timed, end);
  }
  if (state !== failedState) return;
  count(series.failed_attempts, end);
  if (attempts.isCurrent[at] === 1 && attempt > maxRetries) count(series.exhausted, end);
}

/** Equal parts of a period, in milliseconds since 1970. The last may extend beyond its end. */
export interface Bins {
  from: number;
  width: number;
  count: number;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** Widths that people count in, in milliseconds. */
const widths = [
  [1, 2, 5, 10, 20, 50, 100, 200, 500],
  [1, 2, 5, 10, 15, 30].map((n) => n * second),
  [1, 2, 5, 10, 15, 30].map((n) => n * minute),
  [1, 2, 6, 12].map((n) => n * hour),
  [1, 2, 7, 30].map((n) => n * day),
].flat();

/** With fewer bins than this, levels are drawn finer than rates. */
const fewBins = 150;

/**
 * How many slices waited and were in progress at the end of each fine step, up to the end of life: a rate
 * needs a bin, a level has a value at each moment. Undefined if the bins are fine enough.
 * @param most largest number of steps; 0: none are wanted
 */
export function levelsOf(attempts: Attempts, { from, width, count }: Bins, life: Life, most: number) {
  if (count >= fewBins || most === 0) return undefined;
  const span = Math.min(count * width, life.end - from);
  const step = widths.find((one) => span / one <= most) ?? width;
  const { queued, processing } = countAttempts(attempts, { from, width: step, count: Math.ceil(span / step) }, life, 0);
  return { step, queued: queued.ends(), processing: processing.ends() };
}

/**
 * Bins of a window that stay put while an execution grows: they have round widths and are counted from a
 * fixed moment of its life. None is narrower than `least`, or it would beat with the STF interval.
 * @param most largest number of bins
 */
export function binsOf({ from, until }: Period, { anchor, most, least }: Record<'anchor' | 'most' | 'least', number>) {
  const span = Math.max(1, until - from);
  const largest = widths.at(-1) as number;
  const width =
    // Leave room for one more, since a window begins and ends within bins.
    widths.find((one) => one >= least && span / one <= Math.max(1, most - 1)) ??
    Math.ceil(span / Math.max(1, most - 1) / largest) * largest;
  const first = Math.floor((from - anchor) / width);
  const last = Math.max(first, Math.floor((until - anchor) / width));
  return { from: anchor + first * width, width, count: last - first + 1 };
}

/** Index of the bin of a time: negative before the first, `count` or more after the last. */
export const binOf = ({ from, width }: Omit<Bins, 'count'>, time: number) => Math.floor((time - from) / width);
