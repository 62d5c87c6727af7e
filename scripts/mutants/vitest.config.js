import { defineConfig } from 'vitest/config';

const room = process.env.MUTANTS_ROOM ?? 'domain';

/** Whole runs, most of them over a real broker: each takes seconds to minutes, and none fails sooner than a test of the room itself. */
const wholeRuns = ['activemq', 'artemis*', 'rabbitmq*', 'files', 'late-files', 'memory*'];

export default defineConfig({
  test: {
    include: [`test/${room}/**/*.test.ts`],
    exclude: wholeRuns.map((name) => `test/remote/${name}.test.ts`),
    pool: 'threads',
    testTimeout: 5000,
  },
});
