import { failedState } from '../../domain/slice-states.ts';
import type { Attempts, Period } from '../timeline/attempts.ts';

/** A measured attempt at a slice. Times are milliseconds since 1970. */
export interface MeasuredAttempt {
  /**
   * The attempt's place in queue order, from 1. A retry that keeps its place in the queue has the rank of the
   * first attempt.
   */
  rank: number;
  queued: number;
  started: number;
  /** The attempt's duration in milliseconds. */
  took: number;
  worker: number;
  hasFailed: boolean;
  stf: number;
  /**
   * The next attempt at the slice, and how long after the end of this attempt it was queued, in milliseconds.
   */
  next: MeasuredAttempt | undefined;
  nextAfter: number;
}

/** A measured run that can be replayed. Times are milliseconds since 1970. */
export type MeasuredRun = ReturnType<typeof measuredRun>;

/**
 * Derives the measurements of a run from its attempts.
 * @param keepsPlace whether a failed slice keeps its place in the queue instead of moving to the back
 */
export function measuredRun(attempts: Attempts, keepsPlace: boolean) {
  const all = attemptsIn(attempts, keepsPlace);
  const byStart = all.toSorted((a, b) => a.started - b.started);
  const between = betweenSlices(byStart, attempts.names.worker.all.length);
  const workers = workersOf(byStart, attempts, part(between.map(lengthOf), minPart));
  const { held, direct } = sweep(byStart, workers);
  // A time longer than slices usually take to reach a free slot; a shorter time may be due to chance.
  const minStill = Math.min(maxChance, Math.max(minChance, 3 * part([...between, ...direct].map(lengthOf), 0.9)));
  const still = held.filter((one) => lengthOf(one) > minStill);
  const moving = (times: readonly Period[]) =>
    times.filter(({ from, until }) => !still.some((one) => one.from < until && from < one.until)).map(lengthOf);
  const followers = new Set(all.flatMap(({ next }) => next ?? []));
  return {
    /** First attempts, in the order in which they were queued. */
    first: all.filter((one) => !followers.has(one)),
    keepsPlace,
    count: all.length,
    hasFailed: all.some((one) => one.hasFailed),
    /** The usual duration of a completed attempt, in milliseconds. */
    usual: part(
      all.filter((one) => !one.hasFailed).map(({ took }) => took),
      0.5,
    ),
    workers,
    still,
    /**
     * The usual time on a slot from the end of one slice to the start of the next waiting slice, in
     * milliseconds.
     */
    turnaround: part(moving(between), 0.5),
    /** The usual time from queueing to starting a slice if a slot is free, in milliseconds. */
    dispatch: part(moving(direct), 0.5),
    last: all.reduce((last, { started, took }) => Math.max(last, started + took), 0),
    /** Number of attempts left out because their start or end is unknown. */
    leftOut: attempts.length - all.length,
  };
}

/** Ended attempts in the order in which they were queued, each with the next attempt at the same slice. */
function attemptsIn(attempts: Attempts, keepsPlace: boolean) {
  const known: { key: string; number: number; one: MeasuredAttempt }[] = [];
  for (let at = 0; at < attempts.length; at += 1) {
    const [queued, started, completed] = [
      attempts.queued[at],
      attempts.started[at],
      attempts.completed[at],
    ] as number[];
    if (![queued, started, completed].every(Number.isFinite) || (attempts.worker[at] as number) < 0) continue;
    known.push({
      key: `${attempts.stf[at]} ${attempts.sliceId[at]}`,
      number: attempts.attempt[at] as number,
      one: {
        rank: 0,
        // The clocks of two hosts may differ.
        queued: Math.min(queued as number, started as number),
        started: started as number,
        took: Math.max(0, (completed as number) - (started as number)),
        worker: attempts.worker[at] as number,
        hasFailed: attempts.state[at] === failedState,
        stf: attempts.stf[at] as number,
        next: undefined,
        nextAfter: 0,
      },
    });
  }
  const last = new Map<string, MeasuredAttempt>();
  for (const { key, one } of known.toSorted((a, b) => a.number - b.number)) {
    const before = last.get(key);
    if (before !== undefined) {
      before.next = one;
      before.nextAfter = Math.max(0, one.queued - (before.started + before.took));
    }
    last.set(key, one);
  }
  const inOrder = known.map(({ one }) => one).toSorted((a, b) => a.queued - b.queued);
  for (const [rank, one] of inOrder.entries()) {
    if (one.rank === 0) one.rank = rank + 1;
    if (one.next !== undefined && keepsPlace) one.next.rank = one.rank;
  }
  return inOrder;
}

const lengthOf = ({ from, until }: Period) => until - from;

/** The `of` quantile of the values; 0 if there are none. */
const part = (values: readonly number[], of: number) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * of)] ?? 0;

/** If times may include pauses, the shortest tenth of them is assumed to include none. */
const minPart = 0.1;

/**
 * The times from the end of a slice to the start of the next one on the same slot, if the next one had been
 * waiting.
 */
function betweenSlices(byStart: readonly MeasuredAttempt[], workers: number) {
  const freeAt = new Float64Array(workers).fill(Number.NaN);
  return byStart.flatMap(({ worker, started, queued, took }) => {
    const free = freeAt[worker] as number;
    freeAt[worker] = started + took;
    return queued <= free ? { from: Math.min(free, started), until: started } : [];
  });
}

/**
 * A period in which no slice starts is always ascribed to chance if it is shorter than the first limit, and
 * never if it is longer than the second. Milliseconds.
 */
const [minChance, maxChance] = [50, 1000];

/**
 * Finds the periods in which slices waited and slots were free but no slice was started (pauses, no driver or
 * broker), and the times that slices took to reach a free slot.
 */
function sweep(byStart: readonly MeasuredAttempt[], workers: readonly Worker[]) {
  const ends = byStart.map(({ started, took }) => started + took).toSorted((a, b) => a - b);
  const opens = workers.map(({ from }) => from).toSorted((a, b) => a - b);
  const closes = workers.map(({ until }) => until).toSorted((a, b) => a - b);
  const [ended, opened, closed] = [ends, opens, closes].map(counter) as [Count, Count, Count];
  const held: Period[] = [];
  const direct: Period[] = [];
  for (const [begun, { started, queued: since }] of byStart.entries()) {
    const free = opened(started) - closed(started) - (begun - ended(started));
    if (free <= 0) continue;
    // When the slice began to wait although a slot was free: the latest of the slice's arrival, the previous
    // start, and the end of the slice that freed the first of the free slots.
    const last = byStart[begun - 1]?.started ?? -Infinity;
    const from = Math.max(since, last, ends[ended(started) - free] ?? -Infinity);
    if (Number.isFinite(last)) held.push({ from, until: started });
    // A slot was already free when this slice arrived. For slices that waited for a slot, see `betweenSlices`.
    if (from === since) direct.push({ from, until: started });
  }
  return { held, direct };
}

/** Counts how many sorted times are before a given time. Call it with ascending times. */
type Count = (time: number) => number;

function counter(times: readonly number[]): Count {
  let count = 0;
  return (time) => {
    while ((times[count] ?? Infinity) < time) count += 1;
    return count;
  };
}

/** A worker, which starts no slice before `from` or after `until`. */
export interface Worker extends Period {
  name: string;
  host: string;
}

/** A place for one slice at a time, as the sequence of workers that occupied it. */
export type Slot = readonly Worker[];

interface Begun {
  worker: number;
  queued: number;
  started: number;
  took: number;
}

/**
 * The workers of a run, by number. A worker counts as gone if it was free and took no more slices while
 * others took many waiting ones.
 * @param begun attempts in the order in which they were started
 * @param usual the usual time from one slice to the next waiting one, in milliseconds
 */
function workersOf(begun: readonly Begun[], { names, worker, host, length }: Attempts, usual: number) {
  const workers = names.worker.all.map((name) => ({ name, host: '', from: Infinity, until: 0 }));
  for (let at = 0; at < length; at += 1) {
    const one = workers[worker[at] as number];
    if (one !== undefined && one.host === '') one.host = names.host.all[host[at] as number] ?? '';
  }
  const free = new Float64Array(workers.length);
  for (const { worker: number, started, took } of begun) {
    const one = workers[number] as Worker;
    one.from = Math.min(one.from, started);
    one.until = Math.max(one.until, started);
    free[number] = started + took;
  }
  const waited = begun.filter(({ queued, started }) => started - queued > 2 * usual + 1);
  const enough = waited.at(-2 * workers.length)?.started ?? -Infinity;
  for (const [number, one] of workers.entries()) if ((free[number] ?? 0) >= enough) one.until = Infinity;
  return workers;
}

/** Assigns workers to slots: a worker takes over a slot whose previous worker was gone before the new one started. */
export function slotsOf(workers: readonly Worker[]) {
  const slots: Worker[][] = [];
  const came = workers.filter(({ from }) => Number.isFinite(from)).toSorted((a, b) => a.from - b.from);
  for (const worker of came) {
    const left = slots.find((slot) => (slot.at(-1)?.until ?? Infinity) < worker.from);
    if (left === undefined) slots.push([worker]);
    else left.push(worker);
  }
  return slots;
}

/** The first time at or after `time` at which a slot has a worker; undefined once its workers are gone. */
export function freeFrom(slot: Slot, time: number) {
  const worker = slot.find(({ until }) => time <= until);
  return worker && Math.max(time, worker.from);
}

/** For how many seconds no slot had a worker, between the first worker and the last. */
export function secondsWithout(slots: readonly Slot[]) {
  const spans = slots.flat().toSorted((a, b) => a.from - b.from);
  let [reached, without] = [spans[0]?.from ?? 0, 0];
  for (const { from, until } of spans) {
    without += Math.max(0, from - reached);
    reached = Math.max(reached, until);
  }
  return without / 1000;
}
