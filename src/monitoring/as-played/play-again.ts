import TinyQueue from 'tinyqueue';

import type { Period } from '../timeline/attempts.ts';
import { type MeasuredAttempt, type MeasuredRun, type Slot, type Worker, freeFrom, slotsOf } from './measured-run.ts';

/** Changes to a run before it is replayed. */
export interface Changes {
  /** Worker slots in all. */
  slots?: number | undefined;
  /** Factor on the time of each slice: 0.5 is half as long. */
  factor?: number | undefined;
  /** The part of the sampled STF files to keep, 0 to 1. */
  part?: number | undefined;
  isLeftOut?: ((worker: Worker) => boolean) | undefined;
}

/** The result of replaying a run. Times are milliseconds since 1970, waits milliseconds. */
export interface PlayedAgain {
  /** The end of its last slice; undefined if none is done. */
  last: number | undefined;
  slots: number;
  slices: number;
  /** Attempts for which no worker was left. */
  undone: number;
  /** Slices whose last attempt fails; undefined if it is not known how some of them would end. */
  failed: number | undefined;
  queued: number[];
  /** For the attempts that were started. */
  started: number[];
  waits: number[];
}

interface Queued {
  at: number;
  attempt: MeasuredAttempt;
}

const byTime = (a: Queued, b: Queued) => a.at - b.at || a.attempt.rank - b.attempt.rank;
const byPlace = (a: Queued, b: Queued) => a.attempt.rank - b.attempt.rank || a.at - b.at;

/**
 * Replays a run from its measurements: each slice arrives when it did, takes as long as it did, fails where
 * it did, and goes to the first free slot. Slices start in queue order, and none starts while the run stood
 * still. An attempt that failed on a worker which is left out is not made.
 */
export function playAgain(run: MeasuredRun, changes: Changes = {}): PlayedAgain {
  const { dispatch, turnaround, still } = run;
  const { factor = 1, part = 1 } = changes;
  const { first, areKnown } = withoutFailures(run, withPart(run.first, part), changes);
  const slots = slotsWith(run, changes);
  const empty = { last: undefined, undone: 0, failed: 0, queued: [], started: [], waits: [] };
  const played: PlayedAgain = { slots: slots.length, slices: first.length, ...empty };
  const free = new TinyQueue<{ from: number; slot: Slot }>([], (a, b) => a.from - b.from);
  const coming = new TinyQueue<Queued>([], (a, b) => a.at - b.at);
  const waiting = new TinyQueue<Queued>([], run.keepsPlace ? byPlace : byTime);
  for (const slot of slots) free.push({ from: slot[0]?.from ?? Infinity, slot });
  for (const attempt of first) coming.push({ at: attempt.queued, attempt });
  // The last start: everything that waits had arrived by then.
  let clock = -Infinity;
  let failed = 0;

  const queueUntil = (time: number) => {
    for (let next = coming.peek(); next !== undefined && next.at + dispatch <= time; next = coming.peek()) {
      waiting.push(next);
      played.queued.push(next.at);
      coming.pop();
    }
  };
  /** Starts an attempt. Returns its end. */
  const begin = ({ at, attempt }: Queued, start: number): number => {
    const end = start + attempt.took * factor;
    played.started.push(start);
    played.waits.push(start - at);
    played.last = Math.max(played.last ?? -Infinity, end);
    if (attempt.next !== undefined) coming.push({ at: end + attempt.nextAfter, attempt: attempt.next });
    else if (attempt.hasFailed) failed += 1;
    return end;
  };
  /**
   * Starts a slice on a slot. Drops a slot whose workers are gone; moves a slot whose next worker starts
   * later behind the others.
   */
  const use = (slot: Slot, from: number) => {
    const came = waiting.length > 0 ? clock : (coming.peek()?.at ?? Infinity) + dispatch;
    const ready = Math.max(from, came);
    const start = startIn(slot, ready, still);
    if (start === undefined) return;
    if (start > ready && (free.peek()?.from ?? Infinity) < start) {
      free.push({ from: start, slot });
      return;
    }
    queueUntil(start);
    clock = start;
    const next = waiting.pop();
    if (next !== undefined) free.push({ from: begin(next, start) + turnaround, slot });
  };

  while (coming.length + waiting.length > 0) {
    const next = free.pop();
    if (next === undefined) break;
    use(next.slot, next.from);
  }
  queueUntil(Infinity);
  return { ...played, undone: waiting.length, failed: areKnown && waiting.length === 0 ? failed : undefined };
}

/** When a slot can start a slice; undefined once its workers are gone. */
function startIn(slot: Slot, ready: number, still: readonly Period[]): number | undefined {
  const from = freeFrom(slot, ready);
  const held = from === undefined ? undefined : still.find((one) => one.from <= from && from < one.until);
  return held === undefined ? from : freeFrom(slot, held.until);
}

/**
 * The slots after a change: keeps the earliest slots, and gives each further slot the workers of the middle
 * one.
 */
function slotsWith({ workers }: MeasuredRun, { slots: wanted, isLeftOut }: Changes): Slot[] {
  const slots = slotsOf(isLeftOut === undefined ? workers : workers.filter((worker) => !isLeftOut(worker)));
  if (wanted === undefined) return slots;
  const middle = slots[Math.floor(slots.length / 2)] ?? [];
  return [...slots.slice(0, wanted), ...Array.from({ length: Math.max(0, wanted - slots.length) }, () => middle)];
}

/**
 * The first attempts at the slices without those that failed on a worker which is left out: the attempt that
 * followed takes their place. If none followed, it is not known how the slice would end; it takes the usual
 * time.
 */
function withoutFailures(
  { workers, usual, leftOut }: MeasuredRun,
  first: readonly MeasuredAttempt[],
  { isLeftOut }: Changes,
): { first: readonly MeasuredAttempt[]; areKnown: boolean } {
  if (isLeftOut === undefined) return { first, areKnown: leftOut === 0 };
  let areKnown = leftOut === 0;
  const left = new Set(workers.flatMap((worker, number) => (isLeftOut(worker) ? [number] : [])));
  const played = (attempt: MeasuredAttempt): MeasuredAttempt => {
    const { next, hasFailed, worker, queued, rank } = attempt;
    const isMade = !(hasFailed && left.has(worker));
    if (isMade) return { ...attempt, next: next && played(next) };
    if (next !== undefined) return played({ ...next, queued, rank });
    areKnown = false;
    return { ...attempt, hasFailed: false, took: usual };
  };
  return { first: first.map(played), areKnown };
}

/** The slices of a part of the STF files, spread evenly. */
function withPart(first: readonly MeasuredAttempt[], part: number): MeasuredAttempt[] {
  if (part >= 1) return [...first];
  const files = [...new Set(first.map(({ stf }) => stf))];
  const kept = new Set(files.filter((_, n) => Math.floor((n + 1) * part) > Math.floor(n * part)));
  return first.filter(({ stf }) => kept.has(stf));
}

/** The most slices that waited at one time. */
export function maxWaiting({ queued, started }: PlayedAgain): number {
  const [came, begun] = [Float64Array.from(queued).toSorted(), Float64Array.from(started).toSorted()];
  let [most, taken] = [0, 0];
  for (const [n, time] of came.entries()) {
    while ((begun[taken] ?? Infinity) <= time) taken += 1;
    most = Math.max(most, n + 1 - taken);
  }
  return most;
}
