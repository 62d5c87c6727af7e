import { completedState, failedState } from '../../domain/slice-states.ts';
import { type Attempts, type Life, type Period, endOfWork, goesOn } from './attempts.ts';

/**
 * The counts of events in each bin, the levels at its end, and the peaks of levels within it. Levels include
 * everything before the window. At the end of the execution's life, they equal the stored counts: an attempt
 * abandoned at the end of a stopped execution is in progress until then, and waiting afterwards.
 * @param maxRetries the maximum number of attempts at a slice after the first
 */
export function seriesOf(attempts: Attempts, bins: Bins, life: Life, maxRetries: number) {
  const counters = countAttempts(attempts, bins, life, maxRetries);
  const { queued, processing } = counters;
  /** The mean wall time from hand-over to result for the slices completed in the bin, or null. */
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
      /** Number of slices created. */
      arrived: zeros(),
      completed: zeros(),
      failed_attempts: zeros(),
      /** Number of slices that failed with no retry left. */
      exhausted: zeros(),
    },
    queued: levelIn(bins),
    processing: levelIn(bins),
    /** The total milliseconds from hand-over to result for the slices completed in each bin. */
    work: zeros(),
    /** Number of slices for which the time from hand-over to result is known. */
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
    ends() {
      const changes = Array.from({ length: count }, () => 0);
      // Changes before the window are added to its first bin.
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
    /** The highest level in each bin. An item that begins when another ends does not overlap it. */
    peaks() {
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

/** Counts the events of an attempt, and changes the levels accordingly. */
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
    // If an attempt is abandoned at the end, its slice waits again; if the driver is gone, the attempt is lost.
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

/**
 * Equal parts of a period, in milliseconds (`from`: since 1970). The last part may extend beyond the end of the
 * period.
 */
export interface Bins {
  from: number;
  width: number;
  count: number;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** Bin widths that people are used to, in milliseconds. */
const widths = [
  [1, 2, 5, 10, 20, 50, 100, 200, 500],
  [1, 2, 5, 10, 15, 30].map((n) => n * second),
  [1, 2, 5, 10, 15, 30].map((n) => n * minute),
  [1, 2, 6, 12].map((n) => n * hour),
  [1, 2, 7, 30].map((n) => n * day),
].flat();

/** With fewer bins than this, levels are drawn with finer steps than rates. */
const fewBins = 150;

/**
 * How many slices were waiting and in progress at the end of each fine step, up to the end of the execution's
 * life: a rate needs a bin, but a level has a value at every moment. Undefined if the bins are fine enough.
 * @param most the maximum number of steps; 0 if none are wanted
 */
export function levelsOf(attempts: Attempts, { from, width, count }: Bins, life: Life, most: number) {
  if (count >= fewBins || most === 0) return undefined;
  const span = Math.min(count * width, life.end - from);
  const step = widths.find((one) => span / one <= most) ?? width;
  const { queued, processing } = countAttempts(attempts, { from, width: step, count: Math.ceil(span / step) }, life, 0);
  return { step, queued: queued.ends(), processing: processing.ends() };
}

/**
 * The bins of a window. They stay in place while an execution grows: they have round widths and begin at a
 * fixed moment in its life. No bin is narrower than `least`; otherwise, the STF interval would cause artifacts.
 * @param most the maximum number of bins
 */
export function binsOf({ from, until }: Period, { anchor, most, least }: Record<'anchor' | 'most' | 'least', number>) {
  const span = Math.max(1, until - from);
  const largest = widths.at(-1) as number;
  const width =
    // Allow for one more bin, since a window may begin and end inside bins.
    widths.find((one) => one >= least && span / one <= Math.max(1, most - 1)) ??
    Math.ceil(span / Math.max(1, most - 1) / largest) * largest;
  const first = Math.floor((from - anchor) / width);
  const last = Math.max(first, Math.floor((until - anchor) / width));
  return { from: anchor + first * width, width, count: last - first + 1 };
}

/**
 * The index of the bin that contains a time: negative before the first bin, `count` or more after the last.
 */
export const binOf = ({ from, width }: Omit<Bins, 'count'>, time: number) => Math.floor((time - from) / width);
