import { expect, it } from 'vitest';

import { livenessOf } from '../../src/domain/liveness.ts';

it.each([
  [-5, 'heard'],
  [0, 'heard'],
  [14.999, 'heard'],
  [15, 'late'],
  [29.999, 'late'],
  [30, 'silent'],
  [59.999, 'silent'],
  [60, 'gone'],
  [1e9, 'gone'],
])('an agent is, %d s after its last sign of life, %s', (age, liveness) => {
  expect(livenessOf(new Date(0).toISOString(), age * 1000)).toBe(liveness);
});

it('the age of a sign of life is counted from its time', () => {
  expect(livenessOf('2026-01-01T00:00:00.000Z', Date.parse('2026-01-01T00:00:20.000Z'))).toBe('late');
});
