import { afterEach, beforeEach, vi } from 'vitest';

/** How often the time of the tests is moved on, in milliseconds of the machine's time. */
const stepMilliseconds = 2;

const { setInterval: tick, clearInterval: endTick } = globalThis;

/**
 * Lets time pass so many times as fast in the tests of a file, for timers, `Date` and `performance`: what waits for a minute of the wall is tried in
 * seconds. Files, sockets and the broker in memory go at the machine's own pace, so a factor is too large where they come to be late. A machine that
 * is busy makes this time slower too, since it moves on by steps of one size.
 */
export function useFastTime(factor: number): void {
  let ticker: NodeJS.Timeout;
  beforeEach(() => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
    });
    ticker = tick(() => vi.advanceTimersByTime(factor * stepMilliseconds), stepMilliseconds);
  });
  afterEach(() => {
    endTick(ticker);
    vi.useRealTimers();
  });
}
