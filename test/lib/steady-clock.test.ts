import { describe, expect, it } from 'vitest';

import { createSteadyClock } from '../../src/lib/time.ts';

/** Clocks that a test moves on, in milliseconds. */
function clocks() {
  const at = { wall: 1_000_000_000, monotonic: 5000 };
  return {
    at,
    steady: createSteadyClock({ wall: () => at.wall, monotonic: () => at.monotonic }),
    pass: (milliseconds: number, step = 0): void => {
      at.monotonic += milliseconds;
      at.wall += milliseconds + step;
    },
  };
}

describe('a clock that is never set back', () => {
  it('follows the wall clock while nobody sets the wall clock', () => {
    const { at, steady, pass } = clocks();
    for (const milliseconds of [1, 1000, 3_600_000]) {
      pass(milliseconds);
      expect(steady.now()).toBe(at.wall);
    }
  });

  it('keeps its own pace if the wall clock is set back, until the wall clock is right again', () => {
    const { at, steady, pass } = clocks();
    const began = steady.now();
    pass(60_000, -420_000);
    expect(steady.now() - began).toBe(60_000);
    pass(1000);
    expect(steady.now() - began).toBe(61_000);
    pass(1000, 420_000);
    expect(steady.now()).toBe(at.wall);
  });

  it('follows the wall clock if it is set forward', () => {
    const { at, steady, pass } = clocks();
    pass(1000, 3_600_000);
    expect(steady.now()).toBe(at.wall);
    pass(1000, -3_600_000);
    expect(steady.now()).toBe(at.wall + 3_600_000);
  });

  it('follows small corrections by a time service, and never goes back', () => {
    const { at, steady, pass } = clocks();
    pass(1000, -900);
    const before = steady.now();
    expect(before).toBeGreaterThanOrEqual(1_000_000_000);
    pass(100, -50);
    expect(steady.now()).toBeGreaterThanOrEqual(before);
    pass(10_000);
    expect(steady.now()).toBe(at.wall);
  });

  it('jumps to a later time from another process, but never back to an earlier one', () => {
    const { at, steady, pass } = clocks();
    steady.catchUp(at.wall + 60_000);
    pass(1000);
    expect(steady.now()).toBe(at.wall + 60_000);
    steady.catchUp(at.wall);
    expect(steady.now()).toBe(at.wall + 60_000);
  });
});
