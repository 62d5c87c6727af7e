import { onTestFinished, vi } from 'vitest';

/** Lets what is under way in this process come to rest: messages of the broker in memory, commits of a store. */
export async function turns(count = 12): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate);
}

/**
 * Stops the time of one test, for timers, `Date` and `performance`. It moves on by `pass` alone, so that a test says what happens at which second.
 * Broker in memory and store go on at the machine's pace.
 */
export function stopTime(now = '2026-01-01T00:00:00.000Z'): void {
  vi.useFakeTimers({
    now: Date.parse(now),
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  });
  onTestFinished(() => void vi.useRealTimers());
}

/** Moves the time on, with a rest after each step. @param step in seconds */
export async function pass(seconds: number, step = Math.min(1, seconds)): Promise<void> {
  await turns();
  for (let steps = Math.round(seconds / step); steps > 0; steps -= 1) {
    await vi.advanceTimersByTimeAsync(step * 1000);
    await turns();
  }
}
