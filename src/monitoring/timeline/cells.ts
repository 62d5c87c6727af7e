import { failedState } from '../../domain/slice-states.ts';
import { type Attempts, endOfWork, type Life, type Period, workTime } from './attempts.ts';
import type { Bins } from './bins.ts';

/** When an attempt ended, or until when it is in hand; NaN if nobody has started it. */
export function endOfAttempt(attempts: Attempts, at: number, life: Life): number {
  const started = attempts.started[at] as number;
  const completed = attempts.completed[at] as number;
  return Number.isNaN(completed) ? (Number.isNaN(started) ? NaN : endOfWork(life)) : Math.max(started, completed);
}

/**
 * The work of slots, one character per bin: `.` idle, `1` to `9` busy for that many tenths, `#` busy throughout, `!` an attempt failed in it.
 * @param slots numbers of workers, in output order
 */
export function cellsOf(attempts: Attempts, bins: Bins, slots: readonly number[], life: Life): string[] {
  const rowOf = new Map(slots.map((worker, row) => [worker, row]));
  const busy = slots.map(() => new Float64Array(bins.count));
  const hasFailed = slots.map(() => new Uint8Array(bins.count));
  for (let at = 0; at < attempts.length; at += 1) {
    const row = rowOf.get(attempts.worker[at] as number);
    const end = endOfAttempt(attempts, at, life);
    if (row === undefined || Number.isNaN(end)) continue;
    const start = attempts.started[at] as number;
    addTime(busy[row] as Float64Array, bins, { from: Number.isNaN(start) ? end : start, until: end, life });
    const bin = Math.floor((end - bins.from) / bins.width);
    if (attempts.state[at] === failedState && bin >= 0 && bin < bins.count) (hasFailed[row] as Uint8Array)[bin] = 1;
  }
  return busy.map((times, row) =>
    Array.from(times, (time, bin) => (hasFailed[row]?.[bin] === 1 ? '!' : cellOf(time / bins.width))).join(''),
  );
}

/** Adds the work of an attempt to the bins in which it lies. */
function addTime(times: Float64Array, bins: Bins, attempt: Period & { life: Life }): void {
  const { from, width, count } = bins;
  const first = Math.max(0, Math.floor((attempt.from - from) / width));
  const last = Math.min(count - 1, Math.floor((attempt.until - from) / width));
  for (let bin = first; bin <= last; bin += 1) {
    const [left, right] = [from + bin * width, from + (bin + 1) * width];
    times[bin] =
      (times[bin] as number) + workTime(attempt.life, Math.max(attempt.from, left), Math.min(attempt.until, right));
  }
}

/** Nearly all of it counts as all: starts and ends are exact only to the millisecond. */
function cellOf(part: number): string {
  if (part >= 0.95) return '#';
  const tenths = Math.round(part * 10);
  return tenths === 0 ? (part > 0 ? '1' : '.') : String(Math.min(9, tenths));
}
