import { defineConfig } from 'vitest/config';

import { roundsFactor } from './test/rounds.ts';
import SlowFirst from './test/slow-first.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Five processes take one file after the other. They load each module once: a process of its own for each file took half of the time of most.
    pool: 'forks',
    isolate: false,
    unstubEnvs: true,
    unstubGlobals: true,
    // Half of the time is spent waiting for brokers, networks and processes: more workers than cores use it.
    maxWorkers: 5,
    // Deadlines are for what hangs, and are long: a busy machine makes every step slow. A test waits for events, and none of them is late.
    testTimeout: 300_000 * Math.max(1, roundsFactor),
    hookTimeout: 180_000,
    teardownTimeout: 60_000,
    // One race in 2,600 tests must not hide what the others say. The closing line names each test that needed this.
    retry: process.env['CI'] === 'true' ? 1 : 0,
    expect: { poll: { timeout: 120_000, interval: 20 } },
    sequence: { sequencer: SlowFirst },
    reporters: ['default', './test/closing-line.ts'],
    setupFiles: ['./test/clean-slate.ts'],
    globalSetup: ['./test/temporary-folder.ts', './test/bundle-age.ts'],
  },
});
