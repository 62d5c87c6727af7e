import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

import { defineConfig } from 'vitest/config';

import { roundsFactor } from './test/rounds.ts';
import SlowFirst from './test/slow-first.ts';

/** The folder of the last build's parts. */
const builtParts = (): string => (JSON.parse(readFileSync('dist/build.json', 'utf8')) as { parts: string }).parts;

/** Programs of their own stand beside the bundle: a test of the sources starts those that were built. */
const builtProcess = {
  name: 'built-process',
  enforce: 'pre' as const,
  transform: (code: string, id: string) =>
    /\/(ask-process|serve-http)\.ts$/.test(id)
      ? code.replace('import.meta.url', JSON.stringify(pathToFileURL(`dist/${builtParts()}/cli.js`).href))
      : undefined,
};

/** Tests of the whole system need a broker, a browser, root, networks or other programs, or kill processes. */
const system = 'test/**/*.system.test.ts';

export default defineConfig({
  plugins: [builtProcess],
  test: {
    // "npm test" runs the first, "npm run test:all" the second.
    projects: [
      {
        extends: true,
        test: { name: 'fast', include: ['test/**/*.test.ts'], exclude: [system, '**/node_modules/**'], maxWorkers: 5 },
      },
      // Most of its time is spent waiting for brokers, networks and processes: more workers than cores use it.
      { extends: true, test: { name: 'system', include: [system], maxWorkers: 9, sequence: { groupOrder: 1 } } },
    ],
    // A golden file is written only with -u: a missing one is a failure.
    update: 'none',
    // A few processes take one file after the other. They load each module once: a process of its own for each file took half of the time of most.
    pool: 'forks',
    isolate: false,
    unstubEnvs: true,
    unstubGlobals: true,
    // Deadlines are for what hangs, and are long: a busy machine makes every step slow. A test waits for events, and none of them is late.
    testTimeout: 600_000 * Math.max(1, roundsFactor),
    hookTimeout: 180_000,
    teardownTimeout: 60_000,
    expect: { poll: { timeout: 120_000, interval: 100 } },
    sequence: { sequencer: SlowFirst },
    reporters: ['default', './test/closing-line.ts'],
    setupFiles: ['./test/clean-slate.ts'],
    globalSetup: ['./test/temporary-folder.ts', './test/bundle-age.ts'],
  },
});
