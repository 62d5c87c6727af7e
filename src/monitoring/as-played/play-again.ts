import { Heap } from '../../lib/heap.ts';
import type { MeasuredAttempt, MeasuredRun, Slot } from './measured-run.ts';

/** Changes to a run before it is played again. */
export interface Changes {
  /** Slots. */
  workers?: number | undefined;
  /** By how much longer a slice takes: 0.5 is half as long. */
  factor?: number | undefined;
  /** The part of the STF files that were sampled which is to be sampled, 0 to 1. */
  part?: number | undefined;
  /** Slots that are to be left out. */
  isLeftOut?: ((slot: Slot) => boolean) | undefined;
}

/** A run as it goes when it is played again. Times are milliseconds since 1970, waits milliseconds. */
export interface PlayedAgain {
  /** The end of its last slice; undefined where no slot does any. */
  last: number | undefined;
  slots: number;
  slices: number;
  /** Attempts that no slot was left for. */
  undone: number;
  /** When each attempt was queued. */
  queued: number[];
  /** Of those that were begun. */
  started: number[];
  waits: number[];
}

interface FreeSlot {
  free: number;
  until: number;
}

/**
 * Plays a run again on what it measured: each slice comes when it came, takes as long as it took, fails where it failed, and goes to the slot that is free first.
 * Slices are begun in the order in which they were queued, and none while the run stood still.
 */
export function playAgain(run: MeasuredRun, changes: Changes = {}): PlayedAgain {
  const slots = new Heap<FreeSlot>((a, b) => a.free < b.free);
  const meant = slotsWith(run, changes);
  for (const { from, until } of meant) slots.push({ free: from, until });
  const arrivals = new Heap<{ at: number; attempt: MeasuredAttempt }>((a, b) => a.at < b.at);
  const first = withPart(run.first, changes.part ?? 1);
  for (const attempt of first) arrivals.push({ at: attempt.queued, attempt });
  const played: PlayedAgain = {
    last: undefined,
    slots: meant.length,
    slices: first.length,
    undone: 0,
    queued: [],
    started: [],
    waits: [],
  };
  const factor = changes.factor ?? 1;
  for (let next = arrivals.pop(); next !== undefined; next = arrivals.pop()) {
    const { at, attempt } = next;
    played.queued.push(at);
    const start = begin(slots, at + run.dispatch, run);
    if (start === undefined) {
      played.undone += 1;
      continue;
    }
    const end = start.at + attempt.took * factor;
    played.started.push(start.at);
    played.waits.push(start.at - at);
    played.last = Math.max(played.last ?? -Infinity, end);
    slots.push({ free: end + run.turnaround, until: start.until });
    if (attempt.next !== undefined) arrivals.push({ at: end + attempt.nextAfter, attempt: attempt.next });
  }
  return played;
}

/** When the first slot can take a slice that is there; undefined where none is left. */
function begin(
  slots: Heap<FreeSlot>,
  ready: number,
  { still }: MeasuredRun,
): { at: number; until: number } | undefined {
  for (let slot = slots.pop(); slot !== undefined; slot = slots.pop()) {
    const at = afterStill(still, Math.max(ready, slot.free));
    if (at <= slot.until) return { at, until: slot.until };
  }
  return undefined;
}

/** A time, or the end of the time that the run stood still then. */
function afterStill(still: MeasuredRun['still'], time: number): number {
  const held = still.find(({ from, until }) => from <= time && time < until);
  return held?.until ?? time;
}

/** The slots with a change: those that came first stay, and further ones come when half of those that were had come. */
function slotsWith({ slots }: MeasuredRun, { workers, isLeftOut }: Changes): Slot[] {
  const were = slots.filter(({ from }) => Number.isFinite(from));
  const left = isLeftOut === undefined ? were : were.filter((slot) => !isLeftOut(slot));
  if (workers === undefined) return left;
  const inOrder = left.toSorted((a, b) => a.from - b.from);
  const from = inOrder[Math.floor(inOrder.length / 2)]?.from ?? Infinity;
  const more = Array.from({ length: Math.max(0, workers - inOrder.length) }, (_, n): Slot => ({
    worker: `more ${n + 1}`,
    host: '',
    from,
    until: Infinity,
  }));
  return [...inOrder.slice(0, workers), ...more];
}

/** The slices of a part of the STF files, spread evenly. */
function withPart(first: readonly MeasuredAttempt[], part: number): MeasuredAttempt[] {
  if (part >= 1) return [...first];
  const files = [...new Set(first.map(({ stf }) => stf))];
  const kept = new Set(files.filter((_, n) => Math.floor((n + 1) * part) > Math.floor(n * part)));
  return first.filter(({ stf }) => kept.has(stf));
}
