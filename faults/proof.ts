import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

import { soak } from './soak.ts';
import { runSuite } from './suite.ts';
import { killCommands, undisturbedPair } from './whole-command-line.ts';

/**
 * The long proof: `npm run proof -- --rounds 500 --seed 1 --minutes 10 --clients 64 --fuzz 200 --networks 1
 * --tests 1`. It consists of rounds of kills over the whole command line; a soak; 100,000 broken HTTP bodies
 * and as many broken STOMP frames; for every broker, hosts whose links are down for ten minutes (as root); and
 * every test with all of its rounds, including installs on other versions of Node.js. 0 leaves a part out.
 */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '500' },
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '10' },
    clients: { type: 'string', default: '64' },
    fuzz: { type: 'string', default: '200' },
    networks: { type: 'string', default: '1' },
    tests: { type: 'string', default: '1' },
  },
});

const suite = runSuite(Number(values.seed));
if (values.rounds !== '0') {
  const expected = await undisturbedPair();
  await suite('killed over the whole command line', 'kills', Number(values.rounds), (seed) =>
    killCommands(seed, expected),
  );
}

const wrong = values.minutes === '0' ? [] : await soak(Number(values.minutes), Number(values.clients));
for (const line of wrong.slice(0, 20)) console.log(`soak: ${line}`);
if (values.minutes !== '0') console.log(`soak: ${wrong.length} wrong`);

const hasBroken = [
  values.tests !== '0' && runTests([], { SWF_ROUNDS: values.tests, SWF_TEST_NODES: '1' }) !== 0,
  values.fuzz !== '0' && runTests(['test/fuzz/http', 'test/fuzz/stomp'], { SWF_ROUNDS: values.fuzz }) !== 0,
  values.networks !== '0' && runTests(['test/networks'], { SWF_LONG_PROOF: '1' }) !== 0,
].some(Boolean);
process.exitCode = suite.hasFailed() || wrong.length > 0 || hasBroken ? 1 : 0;

/** Runs test files with all of their rounds. Returns the exit code. */
function runTests(files: readonly string[], longer: Record<string, string>): number | null {
  const env = { ...process.env, ...longer };
  return spawnSync('npx', ['vitest', 'run', ...files], { stdio: 'inherit', env }).status;
}
