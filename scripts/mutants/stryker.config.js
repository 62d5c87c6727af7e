// One room: see scripts/mutants.js.
const room = process.env.MUTANTS_ROOM ?? 'domain';

export default {
  packageManager: 'npm',
  // Version 9 asks TypeScript for what version 7 no longer has, and only to rewrite paths that are not there.
  tsconfigFile: 'none.json',
  testRunner: 'vitest',
  vitest: { configFile: 'scripts/mutants/vitest.config.js', related: false },
  plugins: ['@stryker-mutator/vitest-runner'],
  mutate: [`src/${room}/**/*.ts`],
  reporters: ['clear-text', 'json'],
  clearTextReporter: { allowColor: false, reportTests: false, logTests: false },
  coverageAnalysis: 'perTest',
  concurrency: 2,
  tempDirName: 'node_modules/.cache/stryker',
  jsonReporter: { fileName: `node_modules/.cache/mutants/${room.replaceAll('/', '-')}.json` },
  ignoreStatic: true,
};
