import { describe, expect, it } from 'vitest';

import { concentrationOf, type PlacedAttempt } from '../../src/monitoring/concentration.ts';
import { numbersOf } from './random-numbers.ts';

interface Run {
  seed: number;
  stfs?: number;
  /** Whether an attempt fails, beside those of bad slices. */
  fails: (place: { worker: string; host: string; stf: string; number: number }, chance: number) => boolean;
  /** The fraction of slices whose data fail anywhere. */
  bad?: number;
}

/** The first attempts of a run on three hosts with four workers of three slots. */
function attemptsOf({ seed, stfs = 30, fails, bad = 0 }: Run): PlacedAttempt[] {
  const next = numbersOf(seed);
  const attempts: PlacedAttempt[] = [];
  for (let stf = 0; stf < stfs; stf += 1)
    for (let slice = 0; slice < 15; slice += 1) {
      const isBad = next() < bad;
      const slot = Math.floor(next() * 12);
      const worker = `agent-${slot % 4}/${String(Math.floor(slot / 4)).padStart(2, '0')}`;
      const place = { worker, host: `host-${(slot % 4) % 3}`, stf: `${stf}.stf`, number: slice };
      const failed = isBad || fails(place, next());
      attempts.push({ ...place, failed: failed ? 1 : 0 });
    }
  return attempts;
}

describe('a place where slices fail', () => {
  it('is not reported in 500 runs with random failures', () => {
    const rates = [0, 0.005, 0.02, 0.1, 0.4];
    const alarms = Array.from({ length: 500 }, (_, seed) => {
      const rate = rates[seed % rates.length] as number;
      const isOfData = seed % 2 === 0;
      return concentrationOf(
        attemptsOf({ seed, bad: isOfData ? rate : 0, fails: (_place, chance) => !isOfData && chance < rate }),
      );
    }).filter((found) => found !== undefined);
    expect(alarms).toEqual([]);
  });

  it.each([
    ['slot', 'agent-2/01', ({ worker }: { worker: string }) => worker === 'agent-2/01'],
    ['worker', 'agent-3', ({ worker }: { worker: string }) => worker.startsWith('agent-3/')],
    ['host', 'host-0', ({ host }: { host: string }) => host === 'host-0'],
    ['STF file', '7.stf', ({ stf }: { stf: string }) => stf === '7.stf'],
    ['slice number', '2', ({ number }: { number: number }) => number === 2],
  ] as const)('can be the %s %s', (kind, place, isThere) => {
    const found = concentrationOf(
      attemptsOf({ seed: 5, fails: (at, chance) => (isThere(at) ? chance < 0.9 : chance < 0.02) }),
    );
    expect(found).toMatchObject({ kind, places: [place] });
    expect(found?.failed).toBeLessThanOrEqual(found?.tried ?? 0);
    expect((found?.tried ?? 0) + (found?.tried_elsewhere ?? 0)).toBeGreaterThanOrEqual(450);
  });

  it('is not reported if everything fails', () => {
    expect(concentrationOf(attemptsOf({ seed: 1, fails: () => true }))).toBeUndefined();
  });

  it('is not reported if failures are only a little more frequent there', () => {
    const run = {
      seed: 3,
      stfs: 600,
      fails: ({ host }: { host: string }, chance: number) => chance < (host === 'host-0' ? 0.1 : 0.06),
    };
    expect(concentrationOf(attemptsOf(run))).toBeUndefined();
  });

  it('can be two hosts out of three', () => {
    const run = { seed: 4, fails: ({ host }: { host: string }) => host !== 'host-2' };
    expect(concentrationOf(attemptsOf(run))).toMatchObject({ kind: 'host', places: ['host-0', 'host-1'] });
  });

  it('cannot be an STF file that was made while everything failed', () => {
    const run = {
      seed: 6,
      stfs: 30,
      fails: ({ stf }: { stf: string }) => Number.parseInt(stf, 10) >= 10 && Number.parseInt(stf, 10) < 15,
    };
    expect(concentrationOf(attemptsOf(run))).toBeUndefined();
  });
});
