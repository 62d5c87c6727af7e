import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { executionParamsSchema } from '../../src/domain/params.ts';
import { isSampled } from '../../src/domain/plan/v1.ts';
import { planOf } from '../../src/domain/plan/versions.ts';

const sampledOf = (stfs: number, rate: number): number =>
  Array.from({ length: stfs }, (_, index) => isSampled(index + 1, rate)).filter(Boolean).length;

const paramsWith = (fastmon: object, rate = 1) =>
  executionParamsSchema.parse({ fastmon, fast_processing: { stf_sampling_rate: rate } });

describe('sampling', () => {
  it.each([
    [100, 0.25, 25],
    [100, 0.29, 29],
    [1000, 0.001, 1],
    [10, 0, 0],
    [7, 1, 7],
    [1_000, 1e-7, 0],
    [30, 0.1, 3],
  ])('of %i STFs at a rate of %d selects exactly %i', (stfs, rate, expected) => {
    expect(sampledOf(stfs, rate)).toBe(expected);
  });

  it('selects, of the first n STFs, n times the rate, rounded down', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 1, max: 300 }), (thousandths, stfs) => {
        expect(sampledOf(stfs, thousandths / 1000)).toBe(Math.floor((stfs * thousandths) / 1000));
      }),
    );
  });
});

describe('samples', () => {
  it('cover the configured fraction of the frames, within the STF, in order and without overlap', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2000 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 100 }),
        (tf_count, samples, hundredths) => {
          const params = paramsWith({ tf_samples_per_stf: samples, tf_fraction: hundredths / 100 });
          const planned = planOf(params).samples({ run: 100_010, sequence: 3, tf_count });
          expect(planned).toHaveLength(Math.min(samples, tf_count));
          let before = -1;
          for (const sample of planned) {
            expect(sample.tf_first).toBeGreaterThan(before);
            expect(sample.tf_last - sample.tf_first + 1).toBe(sample.tf_count);
            expect(sample.tf_count).toBeGreaterThan(0);
            before = sample.tf_last;
          }
          expect(before).toBeLessThan(tf_count);
          const frames = planned.reduce((sum, sample) => sum + sample.tf_count, 0);
          expect(frames).toBe(Math.max(planned.length, Math.floor((tf_count * hundredths) / 100)));
        },
      ),
    );
  });

  it('are reproducible, and differ between STFs', () => {
    const at = (sequence: number) => planOf(paramsWith({})).samples({ run: 100_010, sequence, tf_count: 1000 });
    expect(at(1)).toEqual(at(1));
    expect(new Set([1, 2, 3, 4, 5].map((sequence) => at(sequence)[0]?.tf_first)).size).toBeGreaterThan(1);
  });

  it('may begin at any frame that leaves room for them, even the first and the last', () => {
    const plan = planOf(paramsWith({ tf_fraction: 0.5 }));
    const begins = Array.from(
      { length: 200 },
      (_, n) => plan.samples({ run: 1, sequence: n + 1, tf_count: 4 })[0]?.tf_first,
    );
    expect([...new Set(begins)].toSorted()).toEqual([0, 1, 2]);
  });

  it('of plan version 1 never change', () => {
    const plan = planOf(paramsWith({ tf_samples_per_stf: 3 }));
    const planned = [1, 2, 3].map((sequence) => plan.samples({ run: 100_010, sequence, tf_count: 1000 }));
    expect(planned.map((stf) => stf.map(({ tf_first, tf_count }) => `${tf_first}+${tf_count}`).join(' '))).toEqual([
      '229+50 373+50 799+50',
      '170+50 357+50 941+50',
      '229+50 396+50 695+50',
    ]);
  });

  it('are numbered from 1 in their names', () => {
    const names = planOf(paramsWith({ tf_samples_per_stf: 2 })).samples({ run: 101_993, sequence: 1, tf_count: 1000 });
    expect(names.map((sample) => sample.tf_filename)).toEqual([
      'swf.101993.000001_tf_001.tf',
      'swf.101993.000001_tf_002.tf',
    ]);
  });
});

describe('slices', () => {
  it.each([
    [1, 1],
    [7, 7],
    [15, 15],
    [150, 15],
    [151, 15],
  ])('of a sample of %i frames number %i, cover it exactly, and differ by at most one frame', (tf_count, expected) => {
    const sample = {
      stf_filename: 'swf.1.000001.stf',
      tf_filename: 'swf.1.000001_tf_001.tf',
      tf_first: 40,
      tf_count,
    };
    const slices = planOf(paramsWith({})).slices(sample);
    expect(slices).toHaveLength(expected);
    const frames = slices.flatMap(({ tf_first, tf_last }) =>
      Array.from({ length: tf_last - tf_first + 1 }, (_, index) => tf_first + index),
    );
    expect(frames).toEqual(Array.from({ length: tf_count }, (_, index) => 40 + index));
    const sizes = slices.map((slice) => slice.tf_count);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
  });

  it('are numbered consecutively across all samples of an STF', () => {
    const sample = {
      stf_filename: 'swf.1.000001.stf',
      tf_filename: 'swf.1.000001_tf_002.tf',
      tf_first: 0,
      tf_count: 30,
    };
    const [first] = planOf(paramsWith({})).slices(sample);
    expect(first).toMatchObject({ slice_id: 15, slice_filename: 'swf.1.000001_slice_015.tf' });
  });

  it('of a whole run add up to the planned number, like the samples', () => {
    const params = paramsWith({ tf_samples_per_stf: 3, tf_fraction: 0.02 }, 0.29);
    let samples = 0;
    let slices = 0;
    for (let sequence = 1; sequence <= 100; sequence += 1) {
      const stf_filename = `swf.5.${String(sequence).padStart(6, '0')}.stf`;
      for (const sample of planOf(params).samples({ run: 5, sequence, tf_count: 1000 })) {
        samples += 1;
        slices += planOf(params).slices({ stf_filename, ...sample }).length;
      }
    }
    expect(planOf(params).counts(100)).toEqual({ samples, slices });
  });
});
