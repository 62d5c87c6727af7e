import { completedState, failedState, sliceStatuses } from '../../domain/slice-states.ts';
import { type Attempts, type Life, type Period, endOfWork, goesOn, workTime } from './attempts.ts';
import { type Bins, binOf } from './series.ts';

/**
 * The period in which a worker processed an attempt: until the end of the attempt, or, if it has no end, until
 * the latest time at which workers may be working. Undefined if the start is unknown.
 */
function workOf(attempts: Attempts, at: number, life: Life): Period | undefined {
  const from = attempts.started[at] as number;
  const completed = attempts.completed[at] as number;
  if (Number.isNaN(from)) return undefined;
  return { from, until: Number.isNaN(completed) ? endOfWork(life) : Math.max(from, completed) };
}

const overlap = (a: Period, b: Period) => a.until >= b.from && a.from <= b.until;

/**
 * The work of slots, one character per bin: `.` idle, `1` to `9` busy for that many tenths, `#` busy
 * throughout, `!` an attempt failed during the bin.
 * @param slots the numbers of the slots, in the order of output
 */
export function cellsOf(attempts: Attempts, bins: Bins, slots: readonly number[], life: Life) {
  const rowOf = new Map(slots.map((worker, row) => [worker, row]));
  const busy = slots.map(() => new Float64Array(bins.count));
  const hasFailed = slots.map(() => new Uint8Array(bins.count));
  for (let at = 0; at < attempts.length; at += 1) {
    const row = rowOf.get(attempts.worker[at] as number);
    const work = workOf(attempts, at, life);
    if (row === undefined || work === undefined) continue;
    addTime(busy[row] as Float64Array, bins, { ...work, life });
    const bin = binOf(bins, work.until);
    if (attempts.state[at] === failedState && bin >= 0 && bin < bins.count) (hasFailed[row] as Uint8Array)[bin] = 1;
  }
  return busy.map((times, row) =>
    Array.from(times, (time, bin) => (hasFailed[row]?.[bin] === 1 ? '!' : cellOf(time / bins.width))).join(''),
  );
}

/** Adds the time of an attempt to the bins that it overlaps. */
function addTime(times: Float64Array, bins: Bins, attempt: Period & { life: Life }) {
  const { from, width, count } = bins;
  const first = Math.max(0, binOf(bins, attempt.from));
  const last = Math.min(count - 1, binOf(bins, attempt.until));
  for (let bin = first; bin <= last; bin += 1) {
    const [left, right] = [from + bin * width, from + (bin + 1) * width];
    times[bin] =
      (times[bin] as number) + workTime(attempt.life, Math.max(attempt.from, left), Math.min(attempt.until, right));
  }
}

/** A nearly full bin counts as full, since starts and ends are precise only to the millisecond. */
function cellOf(part: number) {
  if (part >= 0.95) return '#';
  const tenths = Math.round(part * 10);
  return tenths === 0 ? (part > 0 ? '1' : '.') : String(Math.min(9, tenths));
}

/** The work of one worker slot in a window. @param worker the slot's number among the names of workers */
const newWorker = (worker: number) => ({
  worker,
  completed: 0,
  failed: 0,
  /** In milliseconds. */
  busy: 0,
  longest: 0,
  /** The total duration of the slot's finished attempts, including time before the window. Milliseconds. */
  work: 0,
  /** When the slot started its first slice, in milliseconds since 1970. */
  first: Infinity,
});

export function workersOf(attempts: Attempts, window: Period, life: Life) {
  const workers = new Map<number, ReturnType<typeof newWorker>>();
  for (let at = 0; at < attempts.length; at += 1) {
    const worker = attempts.worker[at] as number;
    const work = workOf(attempts, at, life);
    if (worker < 0 || work === undefined || !overlap(work, window)) continue;
    const { from, until } = work;
    const found = workers.get(worker) ?? newWorker(worker);
    workers.set(worker, found);
    const isOver = !Number.isNaN(attempts.completed[at]) && until <= window.until;
    if (isOver && attempts.state[at] === completedState) found.completed += 1;
    if (isOver && attempts.state[at] === failedState) found.failed += 1;
    if (isOver) found.work += until - from;
    found.busy += workTime(life, Math.max(from, window.from), Math.min(until, window.until));
    found.longest = Math.max(found.longest, until - from);
    found.first = Math.min(found.first, from);
  }
  return [...workers.values()];
}

/**
 * The attempts of some slots that overlap a window, as bars: the slot's row, the start (milliseconds since
 * 1970) and the duration, which is undefined while the attempt is running. Returns undefined if there are too
 * many bars.
 */
export function spansOf(
  attempts: Attempts,
  window: Period,
  { slots, life, most }: { slots: readonly number[]; life: Life; most: number },
) {
  const rowOf = new Map(slots.map((worker, row) => [worker, row]));
  const spans = [];
  for (let at = 0; at < attempts.length; at += 1) {
    const row = rowOf.get(attempts.worker[at] as number);
    const work = workOf(attempts, at, life);
    if (row === undefined || work === undefined || !overlap(work, window)) continue;
    if (spans.length === most) return undefined;
    const isOpen = Number.isNaN(attempts.completed[at]) && goesOn(life);
    spans.push({
      row,
      start: work.from,
      duration: isOpen ? undefined : work.until - work.from,
      state: sliceStatuses[attempts.state[at] as number] ?? 'queued',
      stf: attempts.names.stf.all[attempts.stf[at] as number] ?? '',
      sliceId: attempts.sliceId[at] as number,
      attempt: attempts.attempt[at] as number,
    });
  }
  return spans;
}
