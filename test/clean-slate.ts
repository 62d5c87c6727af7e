import { appendFileSync } from 'node:fs';

import { afterAll, beforeAll, expect, vi } from 'vitest';

import { steadyClock } from '../src/lib/time.ts';
import { cpuSeconds } from './cpu-time.ts';

let before = 0;
let t0 = 0;
beforeAll(() => {
  before = cpuSeconds();
  t0 = Date.now();
});
afterAll(() => {
  if (process.env['FILE_TIMES'])
    appendFileSync(
      process.env['FILE_TIMES'],
      `${(cpuSeconds() - before).toFixed(2)} ${((Date.now() - t0) / 1000).toFixed(1)} ${String(expect.getState().testPath).replace(process.cwd() + '/', '')}\n`,
    );
});

/** A process runs many test files: what one leaves behind would disturb the next, so it fails here, where its name stands. */
afterAll(() => {
  expect(vi.isFakeTimers(), 'fake timers are still in use').toBe(false);
  expect(steadyClock().ahead(), 'the clock of this process runs ahead, in milliseconds').toBeLessThan(1000);
});
