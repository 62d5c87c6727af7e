import { defineConfig } from 'vitest/config';

const room = process.env.MUTANTS_ROOM ?? 'domain';

export default defineConfig({
  test: {
    include: [`test/${room}/**/*.test.ts`],
    // System tests are left out: none of them fails sooner than a test of the room itself.
    exclude: ['test/**/*.system.test.ts'],
    pool: 'threads',
    testTimeout: 5000,
  },
});
