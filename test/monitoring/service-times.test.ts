import { describe, expect, it } from 'vitest';

import { type Service, slowerSlices, slowSlots } from '../../src/monitoring/service-times.ts';
import { numbersOf } from './random-numbers.ts';

interface Run {
  seed: number;
  slots?: number;
  slices?: number;
  /** How many times as long a slice takes: by its slot, and by its place in the run, 0 to 1. */
  slice?: (slot: number, place: number) => number;
  /** How much STF files of 15 slices differ: the standard deviation of the logarithm of their times. */
  files?: number;
  /** How many times as long everything takes on the machine. */
  machine?: (place: number) => number;
}

/** @param seconds since the run began */
const timeAt = (seconds: number): string => new Date(seconds * 1000).toISOString();

/** A run in which each slice goes to the slot that is free first. Times differ by chance, some by much. */
function runOf({ seed, slots = 12, slices = 600, slice = () => 1, machine = () => 1, files = 0 }: Run) {
  const next = numbersOf(seed);
  const free = Array.from({ length: slots }, () => next());
  const services: Service[] = [];
  let size = 1;
  for (let n = 0; n < slices; n += 1) {
    const place = n / slices;
    const slot = free.indexOf(Math.min(...free));
    const at = free[slot] as number;
    const spread = 0.6 + 0.8 * next() + (next() < 0.05 ? 4 * next() : 0);
    if (files > 0 && n % 15 === 0) size = Math.exp(files * (next() + next() + next() + next() - 2) * Math.sqrt(3));
    const seconds = Math.round(1000 * size * spread * slice(slot, place) * machine(place)) / 1000;
    const overhead = 0.02 * (0.5 + next()) * machine(place);
    services.push({
      stf: `f${Math.floor(n / 15)}`,
      slot: `w/${String(slot).padStart(2, '0')}`,
      at: timeAt(at),
      seconds,
      overhead,
    });
    free[slot] = at + seconds;
  }
  return services;
}

const findingsOf = (services: readonly Service[]) => ({ slot: slowSlots(services), slower: slowerSlices(services) });

const machines: readonly [string, NonNullable<Run['machine']>][] = [
  ['a machine of constant speed', () => 1],
  ['a machine that slows down', (place) => 1 + 3 * place],
  ['a machine that is slow for a while', (place) => (place > 0.4 && place < 0.8 ? 3 : 1)],
  ['a machine that becomes three times as slow', (place) => (place > 0.5 ? 3 : 1)],
];

describe('the times of a sound run', () => {
  it.each(machines)('raise no finding in 500 runs on %s', (_, machine) => {
    const found = Array.from({ length: 500 }, (__, seed) => {
      const [slots, slices] = [1 + (seed % 17), 20 + ((seed * 37) % 700)];
      return findingsOf(runOf({ seed, slots, slices, machine }));
    });
    expect(found.filter(({ slot, slower }) => slot !== undefined || slower !== undefined)).toEqual([]);
  });

  it.each([0.3, 0.6])(
    'raise at most one finding in 500 runs whose STF files take different times: spread %d',
    (files) => {
      const found = Array.from({ length: 500 }, (_, seed) =>
        slowerSlices(runOf({ seed, slots: 1 + (seed % 17), slices: 45 + 15 * (seed % 20), files })),
      );
      // As many as one in a thousand may be.
      expect(found.filter((one) => one !== undefined).length).toBeLessThanOrEqual(1);
    },
  );

  it('raise no finding if all slices take equally long', () => {
    const services = Array.from({ length: 90 }, (_, n) => ({
      stf: 'f',
      slot: `w/${n % 3}`,
      at: timeAt(n),
      seconds: 1,
      overhead: 0.01,
    }));
    expect(findingsOf(services)).toEqual({ slot: undefined, slower: undefined });
  });
});

describe('a slow slot', () => {
  it.each(machines)('is found on %s', (_, machine) => {
    const { slot, slower } = findingsOf(runOf({ seed: 3, machine, slice: (at) => (at === 7 ? 4.3 : 1) }));
    expect(slot?.slots.map((one) => one.slot)).toEqual(['w/07']);
    expect((slot?.slots[0]?.seconds ?? 0) / (slot?.others_seconds ?? 1)).toBeGreaterThan(3);
    expect(slower).toBeUndefined();
  });

  it.each([
    ['nine slices', 9, undefined],
    ['ten slices', 10, ['w/1']],
  ])('is judged only once it has ten slices: %s', (_, n, expected) => {
    const own = Array.from({ length: n }, (__, at) => ({
      stf: 'f',
      slot: 'w/1',
      at: timeAt(at),
      seconds: 3,
      overhead: undefined,
    }));
    const others = Array.from({ length: 60 }, (__, at) => ({
      stf: 'f',
      slot: `w/${2 + (at % 5)}`,
      at: timeAt(at / 6),
      seconds: 1,
      overhead: undefined,
    }));
    expect(slowSlots([...own, ...others])?.slots.map(({ slot }) => slot)).toEqual(expected);
  });

  it.each([
    [1.9, undefined],
    [2, ['w/1']],
  ])('is one that takes at least twice as long as the others: %s times', (times, expected) => {
    const services = Array.from({ length: 120 }, (_, at) => ({
      stf: 'f',
      slot: `w/${at % 6}`,
      at: timeAt(at),
      seconds: at % 6 === 1 ? times : 1,
      overhead: undefined,
    }));
    expect(slowSlots(services)?.slots.map(({ slot }) => slot)).toEqual(expected);
  });

  it('may be one of several, which are listed slowest first', () => {
    const { slot } = findingsOf(runOf({ seed: 9, slices: 1200, slice: (at) => (at === 2 ? 3 : at === 5 ? 6 : 1) }));
    expect(slot?.slots.map((one) => one.slot)).toEqual(['w/05', 'w/02']);
  });
});

describe('slices that take longer and longer', () => {
  it('are found even if no slot is slow', () => {
    const { slot, slower } = findingsOf(runOf({ seed: 4, slice: (_, place) => 0.5 + 0.8 * place }));
    expect(slower).toMatchObject({ first_seconds: expect.closeTo(0.65, 1), last_seconds: expect.closeTo(1.2, 1) });
    expect(slot).toBeUndefined();
  });

  it('are found in most of 200 runs of 150 slices', () => {
    const found = Array.from({ length: 200 }, (_, seed) =>
      slowerSlices(runOf({ seed, slots: 4, slices: 150, slice: (__, place) => 0.5 + 0.8 * place })),
    );
    expect(found.filter((one) => one !== undefined).length).toBeGreaterThan(100);
  });

  it.each([
    [29, false],
    [30, true],
  ])('are found only in thirty slices or more: %i', (slices, isFound) => {
    const services = Array.from({ length: slices }, (_, at) => ({
      stf: `f${Math.floor(at / 15)}`,
      slot: 'w',
      at: timeAt(at),
      seconds: 1 + at / 10,
      overhead: 0.02,
    }));
    expect(slowerSlices(services) !== undefined).toBe(isFound);
  });

  it.each([
    [1.49, false],
    [1.5, true],
  ])('are found only if they take at least 1.5 times as long: %s times', (times, isFound) => {
    const services = Array.from({ length: 90 }, (_, at) => ({
      stf: `f${Math.floor(at / 3)}`,
      slot: 'w',
      at: timeAt(at),
      seconds: at < 45 ? 1 : times,
      overhead: 0.02,
    }));
    expect(slowerSlices(services) !== undefined).toBe(isFound);
  });

  it('are found on a machine that slows down, if the slices slow down even more', () => {
    const machine = (place: number): number => 1 + place;
    const { slower } = findingsOf(runOf({ seed: 5, machine, slice: (_, place) => 0.4 + 2.6 * place }));
    expect(slower).toBeDefined();
  });
});
