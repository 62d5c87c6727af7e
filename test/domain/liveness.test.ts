import { expect, it } from 'vitest';

import { livenessOf, secondsAhead } from '../../src/domain/liveness.ts';

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
])('%d s after its last sign of life, an agent is %s', (age, liveness) => {
  expect(livenessOf(new Date(0).toISOString(), age * 1000)).toBe(liveness);
});

it.each([
  [-60, 0],
  [5, 0],
  [5.001, 5.001],
  [3600, 3600],
])('a row dated %d s ahead of the clock counts as %d s ahead', (later, ahead) => {
  expect(secondsAhead(later * 1000, 0)).toBe(ahead);
});
