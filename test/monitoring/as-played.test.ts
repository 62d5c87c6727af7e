import { describe, expect, it } from 'vitest';

import { measuredRun } from '../../src/monitoring/as-played/measured-run.ts';
import { playAgain } from '../../src/monitoring/as-played/play-again.ts';
import type { Attempts } from '../../src/monitoring/timeline/attempts.ts';
import { dice } from '../observed/generator.ts';

interface Row {
  stf: number;
  sliceId: number;
  attempt: number;
  hasFailed: boolean;
  worker: number;
  queued: number;
  started: number;
  completed: number;
}

/** Attempts as a store has them. */
function attemptsOf(rows: readonly Row[], workers: number): Attempts {
  const column = (of: (row: Row) => number): number[] => rows.map(of);
  return {
    length: rows.length,
    names: {
      stf: { all: [] },
      worker: { all: Array.from({ length: workers }, (_, n) => `agent/${n}`) },
      host: { all: ['h0', 'h1'] },
      cause: { all: [] },
    },
    stf: column(({ stf }) => stf),
    sliceId: column(({ sliceId }) => sliceId),
    attempt: column(({ attempt }) => attempt),
    state: column(({ hasFailed }) => (hasFailed ? 3 : 2)),
    isCurrent: column(() => 1),
    worker: column(({ worker }) => worker),
    host: column(({ worker }) => worker % 2),
    cause: column(() => -1),
    created: column(({ queued }) => queued),
    queued: column(({ queued }) => queued),
    started: column(({ started }) => started),
    completed: column(({ completed }) => completed),
  };
}

/** A slice that failed goes to the end of the queue. */
const keepsPlace = false;

/** A workload: when slices come, how long each takes, and which attempts fail. Milliseconds. */
interface Work {
  arrivals: { at: number; stf: number; took: number[] }[];
  pause: { from: number; until: number } | undefined;
}

function makeWork(seed: number): Work {
  const roll = dice(seed);
  const [gap, took, failing] = [1000 + roll() * 4000, 500 + roll() * 20_000, roll() * 0.2];
  const arrivals = Array.from({ length: 10 + Math.floor(roll() * 40) }, (_, stf) => stf).flatMap((stf) =>
    Array.from({ length: 1 + Math.floor(roll() * 15) }, () => ({
      at: stf * gap,
      stf,
      took: roll() < failing ? [took * roll(), took] : [took * (0.8 + 0.4 * roll())],
    })),
  );
  const from = (arrivals.at(-1)?.at ?? 0) * roll();
  return { arrivals, pause: roll() < 0.3 ? { from, until: from + 20_000 + roll() * 60_000 } : undefined };
}

/** Simulates a workload moment by moment, with workers that take the first slice of the queue: the one that has waited longest, or came first. */
function run({ arrivals, pause }: Work, workers: number, retriesKeepPlace = false): Row[] {
  const waiting: { at: number; arrival: number; attempt: number }[] = arrivals.map(({ at }, arrival) => ({
    at,
    arrival,
    attempt: 1,
  }));
  const free = Array.from({ length: workers }, () => 0);
  const rows: Row[] = [];
  while (waiting.length > 0) {
    const worker = free.indexOf(Math.min(...free));
    const now = Math.max(free[worker] ?? 0, Math.min(...waiting.map(({ at }) => at)));
    const [next] = waiting
      .filter((one) => one.at <= now)
      .toSorted((a, b) => (retriesKeepPlace ? 0 : a.at - b.at) || a.arrival - b.arrival);
    const { at, arrival, attempt } = next as (typeof waiting)[number];
    waiting.splice(waiting.indexOf(next as (typeof waiting)[number]), 1);
    let started = Math.max(at, free[worker] ?? 0);
    if (pause !== undefined && started >= pause.from && started < pause.until) started = pause.until;
    const { stf, took } = arrivals[arrival] as Work['arrivals'][number];
    const completed = started + (took[attempt - 1] ?? 0);
    const hasFailed = attempt < took.length;
    rows.push({ stf, sliceId: arrival, attempt, hasFailed, worker, queued: at, started, completed });
    if (hasFailed) waiting.push({ at: completed, arrival, attempt: attempt + 1 });
    free[worker] = completed;
  }
  return rows;
}

const endOf = (rows: readonly Row[]): number => Math.max(...rows.map(({ completed }) => completed));

/** The error of the predicted end, relative to the duration of the run. */
const missed = (last: number | undefined, rows: readonly Row[]): number =>
  Math.abs((last ?? NaN) - endOf(rows)) / endOf(rows);

describe('a replay of a run with its measured times', () => {
  it.each([
    ['is queued behind the others', false],
    ['keeps its place', true],
  ])('ends within 5 % of the real end in 300 generated runs where a failed slice %s', (_, keeps) => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const rows = run(makeWork(seed), 1 + (seed % 30), keeps);
      const measured = measuredRun(attemptsOf(rows, 1 + (seed % 30)), keeps);
      const played = playAgain(measured);
      expect({ seed, missed: missed(played.last, rows) }).toEqual({ seed, missed: expect.toSatisfy((n) => n < 0.05) });

      expect(played.waits).toHaveLength(rows.length);
    }
  });

  it('predicts the end with other numbers of workers to within 5 % in 95 % of 300 runs', () => {
    const misses: number[] = [];
    for (let seed = 1; seed <= 300; seed += 1) {
      const work = makeWork(seed);
      const [were, wanted] = [2 + (seed % 20), 1 + ((seed * 7) % 40)];
      const played = playAgain(measuredRun(attemptsOf(run(work, were), were), keepsPlace), { slots: wanted });
      misses.push(missed(played.last, run(work, wanted)));
    }
    const inOrder = misses.toSorted((a, b) => a - b);
    expect(inOrder[150]).toBeLessThan(0.01);
    expect(inOrder[285]).toBeLessThan(0.05);
  });

  const steady = run(
    { arrivals: Array.from({ length: 40 }, (_, n) => ({ at: n * 100, stf: n, took: [1000] })), pause: undefined },
    4,
  );
  const measured = measuredRun(attemptsOf(steady, 4), keepsPlace);

  it.each([
    ['without changes', {}, 10_300],
    ['with half of the workers', { slots: 2 }, 20_100],
    ['with enough workers', { slots: 10 }, 4900],
    ['with slices that take half as long', { factor: 0.5 }, 5300],
    ['with half of the STF files', { part: 0.5 }, 5700],
    ['without one of its four workers', { isLeftOut: ({ name }: { name: string }) => name === 'agent/0' }, 14_200],
    ['without a host', { isLeftOut: ({ host }: { host: string }) => host === 'h0' }, 20_200],
  ])('predicts the end %s', (_, changes, last) => {
    expect(Math.abs((playAgain(measured, changes).last ?? NaN) - last)).toBeLessThanOrEqual(200);
  });

  it('leaves every slice undone if no worker is left', () => {
    const played = playAgain(measured, { isLeftOut: () => true });
    expect(played).toMatchObject({ last: undefined, undone: 40, slots: 0 });
  });

  it('gives no slice to a worker that has vanished', () => {
    // The second of two workers vanishes after its first slice.
    const rows = run(
      { arrivals: Array.from({ length: 20 }, (_, n) => ({ at: n, stf: n, took: [1000] })), pause: undefined },
      1,
    ).map((row, n) => (n === 0 ? { ...row, worker: 1 } : row));
    const played = playAgain(measuredRun(attemptsOf(rows, 2), keepsPlace));
    expect(missed(played.last, rows)).toBeLessThan(0.06);
  });

  describe('with failures on one of two workers', () => {
    /** Ten slices in turn on workers 0 and 1, of which worker 0 fails each; `again` tries these on worker 1. */
    const failing = (again: boolean): Row[] =>
      Array.from({ length: 10 }, (_, n) => n).flatMap((n) => {
        const first = { stf: n, sliceId: n, attempt: 1, hasFailed: n % 2 === 0, worker: n % 2, queued: n * 1000 };
        const one = { ...first, started: n * 1000, completed: n * 1000 + 800 };
        const later = { started: n * 1000 + 10_000, completed: n * 1000 + 10_300, queued: n * 1000 + 900 };
        return one.hasFailed && again ? [one, { ...one, ...later, attempt: 2, hasFailed: false, worker: 1 }] : [one];
      });
    const isLeftOut = ({ name }: { name: string }): boolean => name === 'agent/0';

    it('leaves out the attempts that failed on the omitted worker', () => {
      const measuredAgain = measuredRun(attemptsOf(failing(true), 2), keepsPlace);
      expect(playAgain(measuredAgain)).toMatchObject({
        failed: 0,
        waits: expect.toSatisfy((all) => all.length === 15),
      });
      const without = playAgain(measuredAgain, { isLeftOut });
      expect(without).toMatchObject({ failed: 0, slices: 10, waits: expect.toSatisfy((all) => all.length === 10) });
    });

    it('says how many slices fail, if this is known', () => {
      const once = measuredRun(attemptsOf(failing(false), 2), keepsPlace);
      expect(playAgain(once).failed).toBe(5);
      expect(playAgain(once, { slots: 1 }).failed).toBe(5);
      expect(playAgain(once, { isLeftOut }).failed).toBeUndefined();
      expect(playAgain(once, { isLeftOut: ({ name }) => name === 'agent/1' }).failed).toBe(5);
    });
  });

  it('takes standstills of less than a second into account', () => {
    const pause = { from: 1950, until: 2650 };
    const arrivals = Array.from({ length: 100 }, (_, n) => ({ at: n * 10, stf: n, took: [200] }));
    const rows = run({ arrivals, pause }, 4);
    const again = measuredRun(attemptsOf(rows, 4), keepsPlace);
    expect(again.still).toEqual([{ from: expect.any(Number), until: 2650 }]);
    expect(Math.max(...playAgain(again).waits)).toBe(Math.max(...rows.map((row) => row.started - row.queued)));
  });
});
