import { afterAll, expect, vi } from 'vitest';

import { steadyClock } from '../src/lib/time.ts';

/** A process runs many test files: what one leaves behind would disturb the next, so it fails here, where its name stands. */
afterAll(() => {
  expect(vi.isFakeTimers(), 'fake timers are still in use').toBe(false);
  expect(steadyClock().ahead(), 'the clock of this process runs ahead, in milliseconds').toBeLessThan(1000);
});
