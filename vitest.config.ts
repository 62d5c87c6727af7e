import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Processes and native modules are started here: forks keep one test file's crash out of the others.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    reporters: ['default', './test/closing-line.ts'],
    globalSetup: ['./test/temporary-folder.ts'],
  },
});
