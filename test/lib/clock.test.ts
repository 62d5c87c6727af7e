import { describe, expect, it } from 'vitest';

import { createScaledClock, createVirtualClock } from '../../src/lib/clock.ts';

describe('virtual time', () => {
  it('jumps from sleeper to sleeper in the order of their wake-up times', async () => {
    const clock = createVirtualClock(100);
    const { signal } = new AbortController();
    const woken: string[] = [];
    const sleep = async (name: string, ticks: number[]): Promise<void> => {
      clock.enter();
      for (const tick of ticks) {
        await clock.sleepUntil(tick, signal);
        woken.push(`${name}@${clock.now()}`);
      }
      clock.leave();
    };
    await Promise.all([sleep('a', [110, 5000]), sleep('b', [105, 1e9]), sleep('c', [50, 110])]);
    expect(woken).toEqual(['c@100', 'b@105', 'a@110', 'c@110', 'a@5000', 'b@1000000000']);
  });

  it('stands still while a participant is at work', async () => {
    const clock = createVirtualClock();
    const { signal } = new AbortController();
    clock.enter();
    clock.enter();
    const slept = clock.sleepUntil(10, signal).then(() => 'slept');
    const worked = new Promise((resolve) => {
      setTimeout(() => {
        resolve(clock.now());
        clock.leave();
      }, 5);
    });
    expect(await worked).toBe(0);
    expect(await slept).toBe('slept');
    expect(clock.now()).toBe(10);
  });

  it('does not jump to a sleeper that waits for an event', async () => {
    const clock = createVirtualClock();
    const abort = new AbortController();
    clock.enter();
    const endless = clock.sleepUntil(Infinity, abort.signal);
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(clock.now()).toBe(0);
    abort.abort();
    await endless;
    expect(clock.now()).toBe(0);
  });
});

describe('scaled time', () => {
  it('runs at the given speed from the given time on', async () => {
    const clock = createScaledClock(1000, 50);
    const begin = performance.now();
    await clock.sleepUntil(100, new AbortController().signal);
    const took = performance.now() - begin;
    expect(clock.now()).toBeGreaterThanOrEqual(100);
    // 50 s of simulated time at 1000 times speed are 50 ms; a busy machine may only be later.
    expect(took).toBeGreaterThanOrEqual(45);
  });

  it('wakes a sleeper whose sleep is aborted', async () => {
    const clock = createScaledClock(1);
    const abort = new AbortController();
    const slept = clock.sleepUntil(1e9, abort.signal);
    abort.abort();
    await slept;
    expect(clock.now()).toBeLessThan(1000);
  });
});
