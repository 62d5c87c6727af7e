import { describe, expect, it } from 'vitest';

import { probabilityOfAtLeast } from '../../src/lib/hypergeometric.ts';

describe('the upper tail of the hypergeometric distribution', () => {
  it.each([
    // Of 3 marked among 10, both of 2 drawn: 3/10 × 2/9.
    [2, { items: 10, marked: 3, drawn: 2 }, 6 / 90],
    // At least one: 1 − 7/10 × 6/9.
    [1, { items: 10, marked: 3, drawn: 2 }, 1 - 42 / 90],
    [0, { items: 10, marked: 3, drawn: 2 }, 1],
    [3, { items: 10, marked: 3, drawn: 2 }, 0],
    // All are drawn, or all are marked.
    [3, { items: 10, marked: 3, drawn: 10 }, 1],
    [2, { items: 10, marked: 10, drawn: 2 }, 1],
    // One slot of twelve has all eleven failures of 132: 1 / (132 over 11).
    [11, { items: 132, marked: 11, drawn: 11 }, 2.8893e-16],
  ])('for at least %d of %o is %d', (observed, urn, expected) => {
    expect(probabilityOfAtLeast(observed, urn) / Math.max(expected, 1e-300)).toBeCloseTo(expected === 0 ? 0 : 1, 2);
  });

  it('is accurate for many items', () => {
    const urn = { items: 160_000, marked: 800, drawn: 5000 };
    expect(probabilityOfAtLeast(25, urn)).toBeCloseTo(0.52, 1);
    expect(probabilityOfAtLeast(60, urn)).toBeLessThan(1e-7);
  });
});
