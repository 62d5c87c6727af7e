import { describe, expect, it } from 'vitest';

import { figureWords, stageWords } from '../../src/tools/compare-executions.ts';

const figures = {
  duration_seconds: 12.3,
  stf_count: 10,
  slices_completed: 150,
  slices_failed: 0,
  slice_retries: 0,
  slices_per_second: 12.2,
};

describe('a comparison', () => {
  it('describes noticeable differences in sentences with units', () => {
    const other = { ...figures, duration_seconds: 8.2, slices_failed: 3, slices_per_second: 24.4, stf_count: 5 };
    expect(figureWords(figures, other, true)).toEqual([
      'run a took 12.3 s, 1.5 times as long as run b (8.200 s)',
      'run a has 10 STF files, run b 5',
      '0 slices failed permanently in run a, 3 in run b',
      'run b completed 24.4 slices per second, 2.0 times as many as run a (12.2)',
    ]);
    expect(figureWords(figures, other, false)).toEqual([
      'run a has 10 STF files, run b 5',
      '0 slices failed permanently in run a, 3 in run b',
    ]);
    expect(stageWords('slice → slice_started', { a: 0.01, b: 1 })).toEqual([
      'slice → slice_started: 95 % took at most 1.000 s in run b, 100 times the 0.010 s in run a',
    ]);
  });

  it.each([
    ['is the same', figures],
    ['differs by less than a quarter', { ...figures, duration_seconds: 14, slices_per_second: 10.7 }],
  ])('says nothing if every figure %s', (_, other) => {
    expect(figureWords(figures, other, true)).toEqual([]);
  });

  it('says nothing about delays that differ by less than 50 ms', () => {
    expect(stageWords('slice → slice_started', { a: 0.01, b: 0.055 })).toEqual([]);
  });
});
