import TinyQueue from 'tinyqueue';

import type { Period } from '../timeline/attempts.ts';
import { type MeasuredAttempt, type MeasuredRun, type Slot, type Worker, freeFrom, slotsOf } from './measured-run.ts';

export interface Changes {
  slots?: number | undefined;
  /** The factor for the duration of each slice: 0.5 halves it. */
  factor?: number | undefined;
  /** The fraction of the sampled STF files to keep, from 0 to 1. */
  part?: number | undefined;
  isLeftOut?: ((worker: Worker) => boolean) | undefined;
}

/** The result of replaying a run. Times are in milliseconds since 1970, waits in milliseconds. */
export interface PlayedAgain {
  /** The end of the last attempt; undefined if no attempt was started. */
  last: number | undefined;
  slots: number;
  slices: number;
  /** Number of attempts for which no workers were left. */
  undone: number;
  /** Number of slices whose last attempt fails; undefined if the outcome of some slices is unknown. */
  failed: number | undefined;
  queued: number[];
  /** When each attempt started. */
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
 * Replays a run from its measurements: each slice arrives at the same time as before, takes as long, fails at
 * the same attempts, and is taken by the first free slot. Slices start in queue order, and none starts in a
 * period in which the run stood still. Attempts that failed on workers that are left out are skipped.
 */
export function playAgain(run: MeasuredRun, changes: Changes = {}): PlayedAgain {
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
  // The time of the last start: every slice that is now waiting had arrived by then.
  let clock = -Infinity;
  let failed = 0;

  const queueUntil = (time: number) => {
    for (let next = coming.peek(); next !== undefined && next.at + run.dispatch <= time; next = coming.peek()) {
      waiting.push(next);
      played.queued.push(next.at);
      coming.pop();
    }
  };
  /** Starts an attempt, and returns the time when it ends. */
  const begin = ({ at, attempt }: Queued, start: number) => {
    const end = start + attempt.took * factor;
    played.started.push(start);
    played.waits.push(start - at);
    played.last = Math.max(played.last ?? -Infinity, end);
    if (attempt.next !== undefined) coming.push({ at: end + attempt.nextAfter, attempt: attempt.next });
    else if (attempt.hasFailed) failed += 1;
    return end;
  };
  /**
   * Starts a slice on a slot. Drops a slot whose workers are gone. If the slot must wait for its next worker
   * and another slot is free sooner, puts the slot back until then.
   */
  const use = (slot: Slot, from: number) => {
    const came = waiting.length > 0 ? clock : (coming.peek()?.at ?? Infinity) + run.dispatch;
    const ready = Math.max(from, came);
    const start = startIn(slot, ready, run.still);
    if (start === undefined) return;
    if (start > ready && (free.peek()?.from ?? Infinity) < start) {
      free.push({ from: start, slot });
      return;
    }
    queueUntil(start);
    clock = start;
    const next = waiting.pop();
    if (next !== undefined) free.push({ from: begin(next, start) + run.turnaround, slot });
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
function startIn(slot: Slot, ready: number, still: readonly Period[]) {
  const from = freeFrom(slot, ready);
  const held = from === undefined ? undefined : still.find((one) => one.from <= from && from < one.until);
  return held === undefined ? from : freeFrom(slot, held.until);
}

/**
 * The slots after a change: keeps the earliest slots, and gives each new one the workers of the middle slot.
 */
function slotsWith({ workers }: MeasuredRun, { slots: wanted, isLeftOut }: Changes) {
  const slots = slotsOf(isLeftOut === undefined ? workers : workers.filter((worker) => !isLeftOut(worker)));
  if (wanted === undefined) return slots;
  const middle = slots[Math.floor(slots.length / 2)] ?? [];
  return [...slots.slice(0, wanted), ...Array.from({ length: Math.max(0, wanted - slots.length) }, () => middle)];
}

/**
 * The first attempts at the slices. An attempt that failed on a worker that is left out is replaced by the next
 * attempt at the slice. If there was no next attempt, the outcome of the slice is unknown; the replay lets the
 * failed attempt succeed after the usual time.
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

/** The slices in a fraction of the STF files, chosen at even intervals. */
function withPart(first: readonly MeasuredAttempt[], part: number) {
  if (part >= 1) return [...first];
  const files = [...new Set(first.map(({ stf }) => stf))];
  const kept = new Set(files.filter((_, n) => Math.floor((n + 1) * part) > Math.floor(n * part)));
  return first.filter(({ stf }) => kept.has(stf));
}

/** Maximum number of slices that waited at the same time. */
export function maxWaiting({ queued, started }: PlayedAgain) {
  const [came, begun] = [Float64Array.from(queued).toSorted(), Float64Array.from(started).toSorted()];
  let [most, taken] = [0, 0];
  for (const [n, time] of came.entries()) {
    while ((begun[taken] ?? Infinity) <= time) taken += 1;
    most = Math.max(most, n + 1 - taken);
  }
  return most;
}
