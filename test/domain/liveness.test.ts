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
