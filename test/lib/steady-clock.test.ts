import { describe, expect, it } from 'vitest';

import { SteadyClock } from '../../src/lib/steady-clock.ts';

/** Clocks that a test moves on, in milliseconds. */
function clocks() {
  const at = { wall: 1_000_000_000, monotonic: 5000 };
  return {
    at,
    steady: new SteadyClock({ wall: () => at.wall, monotonic: () => at.monotonic }),
    pass: (milliseconds: number, step = 0): void => {
      at.monotonic += milliseconds;
      at.wall += milliseconds + step;
    },
  };
}

describe('a clock that is never set back', () => {
  it('follows the wall clock while that is not set', () => {
    const { at, steady, pass } = clocks();
    for (const milliseconds of [1, 1000, 3_600_000]) {
      pass(milliseconds);
      expect(steady.now()).toBe(at.wall);
    }
    expect(steady.steps()).toEqual([]);
  });

  it('continues if the wall clock is set back, until that is right again', () => {
    const { at, steady, pass } = clocks();
    const began = steady.now();
    pass(60_000, -420_000);
    expect(steady.now() - began).toBe(60_000);
    pass(1000);
    expect(steady.now() - began).toBe(61_000);
    expect(steady.steps()).toEqual([{ at: began + 60_000, seconds: -420, skipped: 0 }]);
    pass(1000, 420_000);
    expect(steady.now()).toBe(at.wall);
    expect(steady.steps()[1]).toEqual({ at: at.wall, seconds: 420, skipped: 0 });
    steady.forget([...steady.steps()]);
    expect(steady.steps()).toEqual([]);
  });

  it('follows if the wall clock is set forward, and records the step', () => {
    const { at, steady, pass } = clocks();
    pass(1000, 3_600_000);
    expect(steady.now()).toBe(at.wall);
    expect(steady.steps()).toEqual([{ at: at.wall, seconds: 3600, skipped: 3600 }]);
    pass(1000, -3_600_000);
    expect(steady.now()).toBe(at.wall + 3_600_000);
    expect(steady.steps()[1]).toEqual({ at: at.wall + 3_600_000, seconds: -3600, skipped: 0 });
    expect(steady.ahead()).toBe(3_600_000);
  });

  it('records no step for small corrections of a time service, and never goes back for one', () => {
    const { at, steady, pass } = clocks();
    pass(1000, -900);
    const before = steady.now();
    expect(before).toBeGreaterThanOrEqual(1_000_000_000);
    pass(100, -50);
    expect(steady.now()).toBeGreaterThanOrEqual(before);
    pass(10_000);
    expect(steady.now()).toBe(at.wall);
    expect(steady.steps()).toEqual([]);
  });

  it('is not ahead of a wall clock that a time service has put back a little', () => {
    const { at, steady, pass } = clocks();
    steady.now();
    pass(0, -500);
    expect(steady.now()).toBe(at.wall + 500);
    expect(steady.ahead()).toBe(0);
  });

  it('continues from a later time of another process', () => {
    const { at, steady, pass } = clocks();
    steady.catchUp(at.wall + 60_000);
    pass(1000);
    expect(steady.now()).toBe(at.wall + 60_000);
    steady.catchUp(at.wall);
    expect(steady.ahead()).toBe(60_000);
    expect(steady.steps()).toEqual([]);
  });

  it('skips only what lies beyond, if the wall clock is set back and then forward', () => {
    const { steady, pass } = clocks();
    pass(1000, -30_000);
    steady.now();
    pass(1000, 90_000);
    steady.now();
    expect(steady.steps().map(({ seconds, skipped }) => [seconds, skipped])).toEqual([
      [-30, 0],
      [90, 60],
    ]);
  });
});
