import { expect, it } from 'vitest';

import { createRateLimit } from '../../src/watch/deliver.ts';

it('a rate limit allows a fixed number of events in any time span, and returns how long to wait', () => {
  const limit = createRateLimit(2, 1000);
  const waits: number[] = [];
  for (const now of [0, 100, 200, 1000, 1050, 1100]) {
    const wait = limit.wait(now);
    waits.push(wait);
    if (wait === 0) limit.note(now);
  }
  expect(waits).toEqual([0, 0, 800, 0, 50, 0]);
});
