import type { Attempts, Period } from '../timeline/attempts.ts';

/** A worker, which starts no slice before `from` or after `until`. */
export interface Worker extends Period {
  name: string;
  host: string;
}

/** A place for one slice at a time: the workers that held it, one after the other. */
export type Slot = readonly Worker[];

interface Begun {
  worker: number;
  queued: number;
  started: number;
  took: number;
}

/**
 * The workers of a run, by number. A worker counts as gone if it was free and took nothing more while others took many waiting slices.
 * @param begun attempts in order of their start
 * @param usual time from one slice to the next waiting one, in milliseconds
 */
export function workersOf(begun: readonly Begun[], { names, worker, host, length }: Attempts, usual: number): Worker[] {
  const workers = names.worker.all.map((name): Worker => ({ name, host: '', from: Infinity, until: 0 }));
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

/** Assigns workers to slots: a worker that came after another was gone takes its slot. */
export function slotsOf(workers: readonly Worker[]): Slot[] {
  const slots: Worker[][] = [];
  const came = workers.filter(({ from }) => Number.isFinite(from)).toSorted((a, b) => a.from - b.from);
  for (const worker of came) {
    const left = slots.find((slot) => (slot.at(-1)?.until ?? Infinity) < worker.from);
    if (left === undefined) slots.push([worker]);
    else left.push(worker);
  }
  return slots;
}

/** The first time from `time` on at which a slot has a worker; undefined once its workers are gone. */
export function freeFrom(slot: Slot, time: number): number | undefined {
  const worker = slot.find(({ until }) => time <= until);
  return worker === undefined ? undefined : Math.max(time, worker.from);
}

/** Seconds in which no slot had a worker, between the first worker and the last. */
export function secondsWithout(slots: readonly Slot[]): number {
  const spans = slots.flat().toSorted((a, b) => a.from - b.from);
  let [reached, without] = [spans[0]?.from ?? 0, 0];
  for (const { from, until } of spans) {
    without += Math.max(0, from - reached);
    reached = Math.max(reached, until);
  }
  return without / 1000;
}
