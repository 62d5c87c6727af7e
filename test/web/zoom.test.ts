import { describe, expect, it } from 'vitest';

import { moved, partWithin, rangeByKey, rangeByWheel, scaled } from '../../src/web/state/zoom.ts';

const whole = { from: 0, until: 100_000 };
const shown = { from: 40_000, until: 60_000 };
const still = { deltaX: 0, deltaY: 0, ctrlKey: false, metaKey: false, shiftKey: false };

describe('the visible part of a run', () => {
  it.each([
    ['keeps a time in place when zoomed in', scaled(shown, 0.5, 45_000), { from: 42_500, until: 52_500 }],
    ['grows around its middle if no time is given', scaled(shown, 2), { from: 30_000, until: 70_000 }],
    ['moves sideways by a fraction of its length', moved(shown, -0.5), { from: 30_000, until: 50_000 }],
  ])('%s', (_title, range, expected) => {
    expect(range).toEqual(expected);
  });

  it.each([
    ['inside it', { from: 1000, until: 3000 }, { from: 1000, until: 3000 }],
    ['before its start', { from: -5000, until: 5000 }, { from: 0, until: 10_000 }],
    ['after its end', { from: 95_000, until: 105_000 }, { from: 90_000, until: 100_000 }],
    ['shorter than the minimum', { from: 500, until: 501 }, { from: 500, until: 505 }],
    ['as long as the run', { from: -50_000, until: 50_000 }, undefined],
  ])('is kept within the run if the requested part is %s', (_title, asked, expected) => {
    expect(partWithin(whole, asked)).toEqual(expected);
  });

  it.each([
    ['+', false, { from: 45_000, until: 55_000 }],
    ['-', false, { from: 30_000, until: 70_000 }],
    ['ArrowRight', true, { from: 50_000, until: 70_000 }],
    ['ArrowLeft', true, { from: 30_000, until: 50_000 }],
    ['ArrowLeft', false, undefined],
    ['a', true, undefined],
  ])('changes only with certain keys: %s (Shift: %s)', (key, shiftKey, expected) => {
    const held = { ctrlKey: false, metaKey: false, altKey: false };
    expect(rangeByKey(shown, { ...held, key, shiftKey })).toEqual(expected);
    // With these modifiers the key belongs to the browser.
    for (const name of Object.keys(held))
      expect(rangeByKey(shown, { ...held, [name]: true, key, shiftKey })).toBeUndefined();
  });

  it('ignores the plain mouse wheel, zooms with Ctrl or Cmd, and moves with Shift or a sideways wheel', () => {
    expect(rangeByWheel(shown, { ...still, deltaY: 100 }, 50_000)).toBeUndefined();
    for (const held of [{ ctrlKey: true }, { metaKey: true }]) {
      const { from = 0, until = 0 } = rangeByWheel(shown, { ...still, ...held, deltaY: -100 }, 50_000) ?? {};
      expect(from).toBeGreaterThan(shown.from);
      expect(until).toBeLessThan(shown.until);
      expect(from + until).toBeCloseTo(100_000);
    }
    const right = { from: 42_000, until: 62_000 };
    expect(rangeByWheel(shown, { ...still, deltaX: 100, deltaY: 20 }, 0)).toEqual(right);
    expect(rangeByWheel(shown, { ...still, deltaY: 100, shiftKey: true }, 0)).toEqual(right);
    // On some systems the browser swaps the axes itself.
    expect(rangeByWheel(shown, { ...still, deltaX: 100, shiftKey: true }, 0)).toEqual(right);
  });
});
