import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

import { soak } from './soak.ts';
import { runSuite } from './suite.ts';
import { killCommands, undisturbedPair } from './whole-command-line.ts';

/**
 * The long proof: `npm run proof -- --rounds 500 --seed 1 --minutes 10 --clients 64 --cases 100000`. Rounds of kills over the whole command line, a
 * soak, and the fuzz tests with very many cases; 0 leaves a part out.
 */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '500' },
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '10' },
    clients: { type: 'string', default: '64' },
    cases: { type: 'string', default: '100000' },
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

const hasBroken = values.cases !== '0' && fuzz(values.cases) !== 0;
process.exitCode = suite.hasFailed() || wrong.length > 0 || hasBroken ? 1 : 0;

/** The tests of `test/fuzz/`, with so many cases each. Returns the exit code. */
function fuzz(cases: string): number | null {
  const env = { ...process.env, SWF_FUZZ_CASES: cases };
  return spawnSync('npx', ['vitest', 'run', 'test/fuzz'], { stdio: 'inherit', env }).status;
}
