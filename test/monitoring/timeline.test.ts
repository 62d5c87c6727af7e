import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { sliceStatuses } from '../../src/domain/slice-states.ts';
import type { Attempts, Life } from '../../src/monitoring/timeline/attempts.ts';
import { pack, unpack } from '../../src/monitoring/timeline/pack.ts';
import { beginOfWork } from '../../src/monitoring/timeline/phases.ts';
import { pictureOf } from '../../src/monitoring/timeline/picture.ts';
import { binOf, binsOf } from '../../src/monitoring/timeline/series.ts';
import { cellsOf } from '../../src/monitoring/timeline/slots.ts';
import { conciseParts } from '../../src/monitoring/timeline/told.ts';
import { attemptsOf, lifeOf, maxRetries, picture, slices, start } from './made-attempts.ts';

const completedState = sliceStatuses.indexOf('completed');

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

/** Attempts by their names, whatever numbers these have. */
const told = (attempts: Attempts): string[] =>
  Array.from({ length: attempts.length }, (_, at) => {
    const name = (column: 'stf' | 'worker' | 'host' | 'cause') =>
      attempts.names[column].all[attempts[column][at] as number];
    const { sliceId, attempt, state, isCurrent, created, queued, started, completed } = attempts;
    const numbers = [sliceId, attempt, state, isCurrent, created, queued, started, completed].map((all) => all[at]);
    return JSON.stringify([name('stf'), name('worker'), name('host'), name('cause'), ...numbers]);
  }).toSorted();

describe('the timeline of an execution', () => {
  it('counts every slice, completion and failure once, and its levels end at what is left', () => {
    fc.assert(
      fc.property(slices, fc.integer({ min: 10, max: 600 }), (all, maxBins) => {
        const made = attemptsOf(all);
        const { series, causes } = picture(made, maxBins);
        const having = (state: string): number => all.filter(({ last }) => last === state).length;
        const failures = sum(all.map(({ tries, last }) => tries.length - (last === 'failed' ? 0 : 1)));
        expect(sum(series.arrived)).toBe(all.length);
        expect(sum(series.completed)).toBe(having('completed'));
        expect(sum(series.failed_attempts)).toBe(failures);
        expect(sum(causes.map(({ attempts }) => attempts))).toBe(failures);
        expect(series.queued.at(-1)).toBe(having('queued'));
        expect(series.processing.at(-1)).toBe(having('processing'));
        expect(Math.min(...series.queued, ...series.processing)).toBeGreaterThanOrEqual(0);
        const times = Array.from(made.completed, (end, at) => [made.started[at] as number, end] as const);
        const worked = times.filter((_, at) => made.state[at] === completedState).map(([from, end]) => end - from);
        const inBins = series.mean_seconds.map((mean, bin) => (mean ?? 0) * 1000 * (series.completed[bin] as number));
        // Means are rounded to a millisecond.
        expect(Math.abs(sum(inBins) - sum(worked))).toBeLessThanOrEqual(all.length);
        expect(series.mean_seconds.map((mean) => mean === null)).toEqual(series.completed.map((n) => n === 0));
      }),
    );
  });

  it('has, for each bin, the peak numbers of slices in progress and waiting', () => {
    fc.assert(
      fc.property(slices, fc.integer({ min: 10, max: 60 }), (all, maxBins) => {
        const made = attemptsOf(all);
        const { series, bins } = picture(made, maxBins);
        // What has no time is still to come.
        const columns = [made.queued, made.started, made.completed].map((times) =>
          Array.from(times, (time) => (Number.isNaN(time) ? Infinity : time)),
        ) as [number[], number[], number[]];
        const spansOf = (kind: 'queued' | 'processing') => {
          const [from, to] = kind === 'queued' ? [columns[0], columns[1]] : [columns[1], columns[2]];
          return from.map((time, at) => [time, to[at] as number] as const);
        };
        const peaks = (kind: 'queued' | 'processing') => {
          const spans = spansOf(kind);
          const at = (time: number): number => spans.filter(([from, to]) => from <= time && time < to).length;
          return Array.from({ length: bins.count }, (_, bin) => {
            const from = bins.from + bin * bins.width;
            const times = spans.map(([time]) => time).filter((time) => time > from && time < from + bins.width);
            return Math.max(...[from, ...times].map(at));
          });
        };
        expect(series.processing_peak).toEqual(peaks('processing'));
        expect(series.queued_peak).toEqual(peaks('queued'));
      }),
    );
  });

  it('ends all work at the last sign of life of a driver that is gone', () => {
    fc.assert(
      fc.property(slices, (all) => {
        const attempts = attemptsOf(all);
        const { end } = lifeOf(attempts);
        const { series, spans = [] } = picture(attempts, 300, {
          start,
          end: end + 60_000,
          hasEnded: false,
          silentSince: end,
        });
        expect(series.processing.at(-1)).toBe(0);
        expect(series.queued.at(-1)).toBe(all.filter(({ last }) => last === 'queued').length);
        const lost = spans.filter(({ state }) => state === 'processing');
        expect(lost).toHaveLength(all.filter(({ last }) => last === 'processing').length);
        expect(lost.map(({ start: begun, duration }) => begun + (duration ?? Infinity))).toEqual(lost.map(() => end));
      }),
    );
  });

  it('excludes idle times from the busy time of a worker', () => {
    const tries = [{ wait: 0, work: 20_000, worker: 1 }];
    const attempts = attemptsOf([{ stf: 0, queued: 0, tries, last: 'completed' }]);
    const busyOf = (idle: Life['idle'] = []) => {
      const life = { start, end: start + 40_000, hasEnded: true, idle };
      const [worker] = conciseParts({ ...picture(attempts, 300, life), phases: [], latency: [] }, life).workers;
      return [worker?.busy_percent, worker?.longest_seconds];
    };
    expect(busyOf()).toEqual([50, 20]);
    // Half of its slice, and half of the time.
    expect(busyOf([{ from: start + 5000, until: start + 15_000 }])).toEqual([33.3, 20]);
    expect(busyOf([{ from: start + 20_000, until: start + 40_000 }])).toEqual([100, 20]);
    const life = { start, end: start + 40_000, hasEnded: true, idle: [{ from: start + 5000, until: start + 15_000 }] };
    const { bins } = picture(attempts, 8, life);
    expect(bins).toMatchObject({ width: 10_000 });
    expect(cellsOf(attempts, bins, [1], life)).toEqual(['55...']);
  });

  it('has finer bins for a part than for the whole', () => {
    const attempts = attemptsOf([]);
    const life = { start, end: start + 60_000, hasEnded: true };
    const binsOfPart = (from: number, until: number, maxBins = 300) =>
      pictureOf(attempts, {
        life,
        from: start + from,
        until: start + until,
        anchor: life.start,
        maxBins,
        maxLevels: 0,
        minWidth: 4000,
        maxRetries,
        firstSlot: 0,
        slots: 0,
        maxSpans: 0,
      }).bins;
    expect(binsOfPart(0, 60_000)).toEqual({ from: start, width: 5000, count: 13 });
    expect(binsOfPart(2700, 10_300)).toEqual({ from: start + 2600, width: 200, count: 39 });
    // No more of them than requested.
    expect(binsOfPart(2700, 10_300, 10)).toEqual({ from: start + 2000, width: 1000, count: 9 });
  });

  it('has levels at finer steps than its bins, but none in the future', () => {
    const attempts = attemptsOf([
      { stf: 0, queued: 1500, tries: [{ wait: 200, work: 400, worker: 0 }], last: 'completed' },
      { stf: 0, queued: 1500, tries: [{ wait: 300, work: 0, worker: 1 }], last: 'processing' },
    ]);
    const life = { start, end: start + 3000, hasEnded: false };
    const wanted = { life, anchor: start, from: start, until: life.end, maxBins: 60, minWidth: 2000, maxRetries };
    const { bins, levels } = pictureOf(attempts, { ...wanted, maxLevels: 60, firstSlot: 0, slots: 0, maxSpans: 0 });
    expect(bins).toMatchObject({ width: 2000, count: 2 });
    expect(levels?.step).toBe(50);
    expect(levels?.queued).toHaveLength(60);
    const at = (values: readonly number[] | undefined, milliseconds: number) => values?.[milliseconds / 50 - 1];
    expect([1500, 1600, 1700, 1800, 2000, 3000].map((time) => at(levels?.queued, time))).toEqual([0, 2, 2, 1, 0, 0]);
    expect([1500, 1700, 1750, 1850, 2150, 3000].map((time) => at(levels?.processing, time))).toEqual([
      0, 0, 1, 2, 1, 1,
    ]);
  });

  it('aligns its bins with the first beam', () => {
    const beam = start + 1300;
    const anchor = beginOfWork(start, [
      { phase: 'imminent', start, end: beam },
      { phase: 'physics', start: beam, end: undefined },
    ]);
    const bins = binsOf({ from: start, until: start + 9000 }, { anchor, most: 60, least: 2000 });
    expect(bins).toEqual({ from: beam - 2000, width: 2000, count: 5 });
    expect(beginOfWork(start, [])).toBe(start);
  });

  it('only ever widens its bins while the execution grows', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000_000 }),
        fc.integer({ min: 0, max: 10_000_000 }),
        fc.integer({ min: 10, max: 600 }),
        (first, more, most) => {
          const before = binsOf({ from: start, until: start + first }, { anchor: start, most, least: 1 });
          const after = binsOf({ from: start, until: start + first + more }, { anchor: start, most, least: 1 });
          expect(after.count).toBeLessThanOrEqual(most);
          expect(after.from).toBe(before.from);
          // If the width grew, a time has another bin; if not, the same one.
          if (after.width === before.width)
            expect(binOf(after, start + first / 2)).toBe(binOf(before, start + first / 2));
          else expect(after.width).toBeGreaterThan(before.width);
        },
      ),
    );
  });

  it('sorts slots by number, and draws a bar for every attempt that has a slot', () => {
    fc.assert(
      fc.property(slices, (all) => {
        const attempts = attemptsOf(all);
        const { spans, slots } = picture(attempts);
        expect(slots).toEqual(['w/1', 'w/2', 'w/3', 'w/5', 'w/6', 'w/7', 'w/10']);
        const expected = all.flatMap(({ tries, last }, sliceId) =>
          tries
            .map(({ worker }, index) => `${sliceId} ${index + 1} ${attempts.names.worker.all[worker]}`)
            .slice(0, last === 'queued' ? -1 : undefined),
        );
        expect(spans?.map(({ sliceId, attempt, row }) => `${sliceId} ${attempt} ${slots[row]}`).toSorted()).toEqual(
          expected.toSorted(),
        );
      }),
    );
  });

  it('is the same after its attempts are packed into bytes and unpacked', () => {
    fc.assert(
      fc.property(slices, (all) => {
        const attempts = attemptsOf(all);
        const packed = pack(attempts);
        const again = unpack(packed);
        expect(told(again)).toEqual(told(attempts));
        expect(picture(again).series).toEqual(picture(attempts).series);
        // The same attempts in another order, with other numbers for names, yield the same bytes.
        expect(pack(again)).toEqual(packed);
      }),
    );
  });
});
