import { defineConfig } from 'vitest/config';

/**
 * Lets the runner change each statement before it is prepared, and turns off the cache of answers, which
 * would hide a change.
 */
const changeable = {
  name: 'changeable-statements',
  enforce: 'pre',
  transform(code, id) {
    if (id.endsWith('/db/sqlite/statements.ts'))
      return code.replace('return (sql: string) => {', '$& sql = globalThis.statementOf(sql);');
    if (id.endsWith('/db/sqlite/kept-answers.ts')) return code.replace('if (!db.inTransaction) return', 'return');
    return undefined;
  },
};

export default defineConfig({
  plugins: [changeable],
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/**/*.system.test.ts'],
    runner: 'scripts/mutants/sql-runner.js',
    pool: 'threads',
    maxWorkers: 1,
    isolate: false,
    testTimeout: 600_000,
    expect: { poll: { timeout: 2000, interval: 20 } },
    setupFiles: ['./test/clean-slate.ts'],
    globalSetup: ['./test/temporary-folder.ts'],
  },
});
