// The mutants of one room: see scripts/mutants.js.
const room = process.env.MUTANTS_ROOM ?? 'domain';

export default {
  packageManager: 'npm',
  // StrykerJS 9 uses an API that TypeScript 7 no longer has, only to rewrite paths that do not occur here.
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
