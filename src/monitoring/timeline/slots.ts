import { type SliceStatus, completedState, failedState, sliceStatuses } from '../../domain/slice-states.ts';
import { type Attempts, type Life, type Period, endOfWork, goesOn, workTime } from './attempts.ts';
import type { Bins } from './series.ts';

/** When an attempt ended, or until when it is in hand; NaN if nobody has started it. */
function endOfAttempt(attempts: Attempts, at: number, life: Life): number {
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

/** The work of one worker slot in a window. @param worker its number among the names of workers */
const newWorker = (worker: number) => ({
  worker,
  completed: 0,
  failed: 0,
  /** Milliseconds. */
  busy: 0,
  longest: 0,
  /** Time that its ended attempts took, wherever they began. Milliseconds. */
  work: 0,
  /** When it first started a slice, in milliseconds since 1970. */
  first: Infinity,
});

/** Worker slots that did anything in a window. */
export function workersOf(attempts: Attempts, { from, until }: Period, life: Life) {
  const workers = new Map<number, ReturnType<typeof newWorker>>();
  for (let at = 0; at < attempts.length; at += 1) {
    const worker = attempts.worker[at] as number;
    const end = endOfAttempt(attempts, at, life);
    const begun = attempts.started[at] as number;
    const start = Number.isNaN(begun) ? end : begun;
    if (worker < 0 || Number.isNaN(end) || end < from || start > until) continue;
    const found = workers.get(worker) ?? newWorker(worker);
    workers.set(worker, found);
    const isOver = !Number.isNaN(attempts.completed[at]) && end <= until;
    if (isOver && attempts.state[at] === completedState) found.completed += 1;
    if (isOver && attempts.state[at] === failedState) found.failed += 1;
    if (isOver) found.work += end - start;
    found.busy += workTime(life, Math.max(start, from), Math.min(end, until));
    found.longest = Math.max(found.longest, end - start);
    found.first = Math.min(found.first, start);
  }
  return [...workers.values()];
}

/** An attempt as a bar: its slot's row, its start (milliseconds since 1970) and its duration, undefined while it goes on. */
interface Span {
  row: number;
  start: number;
  duration: number | undefined;
  state: SliceStatus;
  stf: string;
  sliceId: number;
  attempt: number;
}

/** The attempts of some slots that overlap a window; undefined if there are too many. */
export function spansOf(
  attempts: Attempts,
  { from, until }: Period,
  { slots, life, most }: { slots: readonly number[]; life: Life; most: number },
): Span[] | undefined {
  const rowOf = new Map(slots.map((worker, row) => [worker, row]));
  const spans: Span[] = [];
  for (let at = 0; at < attempts.length; at += 1) {
    const row = rowOf.get(attempts.worker[at] as number);
    const end = endOfAttempt(attempts, at, life);
    const begun = attempts.started[at] as number;
    const start = Number.isNaN(begun) ? end : begun;
    if (row === undefined || Number.isNaN(end) || end < from || start > until) continue;
    if (spans.length === most) return undefined;
    const isOpen = Number.isNaN(attempts.completed[at]) && goesOn(life);
    spans.push({
      row,
      start,
      duration: isOpen ? undefined : end - start,
      state: sliceStatuses[attempts.state[at] as number] ?? 'queued',
      stf: attempts.names.stf.all[attempts.stf[at] as number] ?? '',
      sliceId: attempts.sliceId[at] as number,
      attempt: attempts.attempt[at] as number,
    });
  }
  return spans;
}
