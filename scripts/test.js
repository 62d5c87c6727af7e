// Runs one of the two suites and prints the time it took: "fast" for npm test, which needs nothing but
// Node, or "system" for npm run test:all.
import { spawnSync } from 'node:child_process';
import { loadavg } from 'node:os';

import { cpuSeconds } from './cpu-seconds.js';

/** How many CPU-seconds npm test may take in CI: people run it before each commit. */
const most = 600;

const [suite, ...filters] = process.argv.slice(2);
const node = process.execPath;
const steps = {
  check: suite === 'fast' ? [node, 'scripts/check.js', '--all'] : undefined,
  build: [node, 'scripts/build.js'],
  tests: [node, 'node_modules/vitest/vitest.mjs', 'run', '--project', suite, ...filters],
};

const began = performance.now();
const took = [];
for (const [name, words] of Object.entries(steps)) {
  if (words === undefined) continue;
  const before = cpuSeconds();
  const { status } = spawnSync(words[0], words.slice(1), { stdio: 'inherit' });
  took.push(`${name} ${Math.round(cpuSeconds() - before)}`);
  if (status !== 0) {
    process.exitCode = 1;
    break;
  }
}
const all = cpuSeconds();
const cpu = Number.isNaN(all) ? '' : `, ${Math.round(all)} CPU-seconds (${took.join(', ')})`;
const seconds = Math.round((performance.now() - began) / 1000);
console.log(`${suite}: ${seconds} s${cpu}; load of the machine at the end ${loadavg()[0]?.toFixed(1)}`);
if (suite === 'fast' && process.env.CI === 'true' && all > most) {
  console.error(
    `npm test may take ${most} CPU-seconds: move what needs a broker, a browser or a loop of kills to *.system.test.ts`,
  );
  process.exitCode = 1;
}
