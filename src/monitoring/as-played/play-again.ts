import TinyQueue from 'tinyqueue';

import type { Period } from '../timeline/attempts.ts';
import type { MeasuredAttempt, MeasuredRun } from './measured-run.ts';
import { freeFrom, type Slot, slotsOf, type Worker } from './worker-slots.ts';

/** Changes to a run before it is played again. */
export interface Changes {
  /** Worker slots in all. */
  slots?: number | undefined;
  /** Factor on the time of each slice: 0.5 is half as long. */
  factor?: number | undefined;
  /** The part of the sampled STF files to keep, 0 to 1. */
  part?: number | undefined;
  isLeftOut?: ((worker: Worker) => boolean) | undefined;
}

/** The result of playing a run again. Times are milliseconds since 1970, waits milliseconds. */
export interface PlayedAgain {
  /** The end of its last slice; undefined if none is done. */
  last: number | undefined;
  slots: number;
  slices: number;
  /** Attempts that no worker was left for. */
  undone: number;
  queued: number[];
  /** For the attempts that were started. */
  started: number[];
  waits: number[];
}

interface FreeSlot {
  free: number;
  slot: Slot;
}

interface Queued {
  at: number;
  attempt: MeasuredAttempt;
}

const byTime = (a: Queued, b: Queued): number => a.at - b.at || a.attempt.rank - b.attempt.rank;
const byPlace = (a: Queued, b: Queued): number => a.attempt.rank - b.attempt.rank || a.at - b.at;

/**
 * Plays a run again from its measurements: each slice comes when it came, takes as long as it took, fails where it failed, and goes to the first free slot.
 * Slices start in queue order, and none starts while the run stood still.
 */
export function playAgain(run: MeasuredRun, changes: Changes = {}): PlayedAgain {
  const slots = slotsWith(run, changes);
  const first = withPart(run.first, changes.part ?? 1);
  const replay = new Replay(run, slots, first, changes.factor ?? 1);
  return { slots: slots.length, slices: first.length, ...replay.play() };
}

class Replay {
  readonly #run: MeasuredRun;
  readonly #factor: number;
  readonly #free = new TinyQueue<FreeSlot>([], (a, b) => a.free - b.free);
  readonly #coming = new TinyQueue<Queued>([], (a, b) => a.at - b.at);
  readonly #waiting: TinyQueue<Queued>;
  /** The last start: everything that waits had come by then. */
  #clock = -Infinity;
  readonly #played = {
    last: undefined as number | undefined,
    queued: [] as number[],
    started: [] as number[],
    waits: [] as number[],
  };

  constructor(run: MeasuredRun, slots: readonly Slot[], first: readonly MeasuredAttempt[], factor: number) {
    this.#run = run;
    this.#factor = factor;
    this.#waiting = new TinyQueue<Queued>([], run.keepsPlace ? byPlace : byTime);
    for (const slot of slots) this.#free.push({ free: slot[0]?.from ?? Infinity, slot });
    for (const attempt of first) this.#coming.push({ at: attempt.queued, attempt });
  }

  play(): Omit<PlayedAgain, 'slots' | 'slices'> {
    while (this.#coming.length + this.#waiting.length > 0) {
      const slot = this.#free.pop();
      if (slot === undefined) break;
      this.#use(slot);
    }
    this.#queueUntil(Infinity);
    return { ...this.#played, undone: this.#waiting.length };
  }

  /** Starts a slice on the slot that is free first. Drops a slot whose workers are gone; puts a slot whose next worker comes later behind the others. */
  #use({ free, slot }: FreeSlot): void {
    const came = this.#waiting.length > 0 ? this.#clock : (this.#coming.peek()?.at ?? Infinity) + this.#run.dispatch;
    const ready = Math.max(free, came);
    const start = startIn(slot, ready, this.#run.still);
    if (start === undefined) return;
    if (start > ready && (this.#free.peek()?.free ?? Infinity) < start) {
      this.#free.push({ free: start, slot });
      return;
    }
    this.#queueUntil(start);
    this.#clock = start;
    const next = this.#waiting.pop();
    if (next === undefined) return;
    const end = this.#begin(next, start);
    this.#free.push({ free: end + this.#run.turnaround, slot });
  }

  /** Starts an attempt. Returns its end. */
  #begin({ at, attempt }: Queued, start: number): number {
    const played = this.#played;
    const end = start + attempt.took * this.#factor;
    played.started.push(start);
    played.waits.push(start - at);
    played.last = Math.max(played.last ?? -Infinity, end);
    if (attempt.next !== undefined) this.#coming.push({ at: end + attempt.nextAfter, attempt: attempt.next });
    return end;
  }

  #queueUntil(time: number): void {
    for (let next = this.#coming.peek(); next !== undefined; next = this.#coming.peek()) {
      if (next.at + this.#run.dispatch > time) return;
      this.#waiting.push(next);
      this.#played.queued.push(next.at);
      this.#coming.pop();
    }
  }
}

/** When a slot can start a slice; undefined once its workers are gone. */
function startIn(slot: Slot, ready: number, still: readonly Period[]): number | undefined {
  const from = freeFrom(slot, ready);
  const held = from === undefined ? undefined : still.find((one) => one.from <= from && from < one.until);
  return held === undefined ? from : freeFrom(slot, held.until);
}

/** The slots after a change: keeps the earliest slots, and gives each further slot the workers of the middle one. */
function slotsWith({ workers }: MeasuredRun, { slots: wanted, isLeftOut }: Changes): Slot[] {
  const slots = slotsOf(isLeftOut === undefined ? workers : workers.filter((worker) => !isLeftOut(worker)));
  if (wanted === undefined) return slots;
  const middle = slots[Math.floor(slots.length / 2)] ?? [];
  return [...slots.slice(0, wanted), ...Array.from({ length: Math.max(0, wanted - slots.length) }, () => middle)];
}

/** The slices of a part of the STF files, spread evenly. */
function withPart(first: readonly MeasuredAttempt[], part: number): MeasuredAttempt[] {
  if (part >= 1) return [...first];
  const files = [...new Set(first.map(({ stf }) => stf))];
  const kept = new Set(files.filter((_, n) => Math.floor((n + 1) * part) > Math.floor(n * part)));
  return first.filter(({ stf }) => kept.has(stf));
}
