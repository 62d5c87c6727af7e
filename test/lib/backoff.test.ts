import { expect, it } from 'vitest';

import { backoff } from '../../src/lib/duration.ts';

it.each([
  [0, 2],
  [1, 2],
  [2, 4],
  [3, 8],
  [5, 30],
  [2000, 30],
])('the backoff after %i failures is %i', (failures, expected) => {
  expect(backoff(failures, { first: 2, longest: 30 })).toBe(expected);
});
