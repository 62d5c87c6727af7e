import { expect, it } from 'vitest';

import { rateLimit } from '../../src/watch/rate-limit.ts';

it('lets something be done so many times in any span, and tells how long to wait', () => {
  const limit = rateLimit(2, 1000);
  const waits: number[] = [];
  for (const now of [0, 100, 200, 1000, 1050, 1100]) {
    const wait = limit.wait(now);
    waits.push(wait);
    if (wait === 0) limit.note(now);
  }
  expect(waits).toEqual([0, 0, 800, 0, 50, 0]);
});
