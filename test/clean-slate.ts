import { appendFileSync } from 'node:fs';
import { relative } from 'node:path';

import { afterAll, beforeAll, expect, vi } from 'vitest';

import { cpuSeconds } from '../scripts/cpu-seconds.js';
import { steadyClock } from '../src/lib/time.ts';

/** Lists what each test file took, in CPU-seconds of its process and the children that have ended, if `SWF_FILE_TIMES` names a file. */
const times = process.env['SWF_FILE_TIMES'];
let before = 0;
beforeAll(() => void (before = cpuSeconds()));
afterAll(() => {
  if (times !== undefined)
    appendFileSync(times, `${(cpuSeconds() - before).toFixed(1)} ${relative('', expect.getState().testPath ?? '')}\n`);
});

/** A process runs many test files: what one leaves behind would disturb the next, so it fails here, where its name stands. */
afterAll(() => {
  expect(vi.isFakeTimers(), 'fake timers are still in use').toBe(false);
  const ahead = steadyClock().now() - Date.now();
  expect(ahead, 'the clock of this process runs ahead, in milliseconds').toBeLessThan(1000);
});
