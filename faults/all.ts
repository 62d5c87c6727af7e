import { parseArgs } from 'node:util';

import pLimit from 'p-limit';

import { temporaryFolder } from '../test/folder.ts';
import { startCli } from './cli.ts';
import { disorderly } from './deliveries.ts';
import { fillDisk, mayMount } from './disk.ts';
import { killAndResume, runSettings, undisturbed } from './kill.ts';
import { faultyPayload } from './payload.ts';

/**
 * The fault suite: `npm run faults -- --rounds 200 --seed 1`. Every fault is chosen by a seed; what it has changed is told, and
 * one round is made again by giving its seed and `--rounds 1`.
 */
const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '200' }, seed: { type: 'string', default: '1' } },
});
const rounds = Number(values.rounds);
const firstSeed = Number(values.seed);
const seeds = (many: number): number[] =>
  Array.from({ length: Math.max(1, Math.round(many)) }, (_, at) => firstSeed + at);
// Two cores: more at a time would only make every run slower.
const limit = pLimit(2);

interface Result {
  seed: number;
  faults: number;
  lost: string[];
  added: string[];
  twice?: string[];
}

let failed = false;

async function suite(
  name: string,
  fault: string,
  many: number,
  round: (seed: number) => Promise<Result>,
): Promise<void> {
  const results = await Promise.all(seeds(many).map((seed) => limit(() => round(seed))));
  const sum = (of: (result: Result) => number): number => results.reduce((total, result) => total + of(result), 0);
  const wrong = results.filter(({ lost, added, twice = [] }) => lost.length + added.length + twice.length > 0);
  failed ||= wrong.length > 0;
  console.log(
    `${name}: ${results.length} rounds, seeds ${firstSeed} to ${firstSeed + results.length - 1}, ${sum(({ faults }) => faults)} ${fault}, ` +
      `${sum(({ lost }) => lost.length)} lost, ${sum(({ added }) => added.length)} added, ${sum(({ twice = [] }) => twice.length)} done twice`,
  );
  for (const { seed, lost, added, twice = [] } of wrong.slice(0, 5))
    console.log(
      `  seed ${seed}: ${JSON.stringify({ lost: lost.slice(0, 5), added: added.slice(0, 5), twice: twice.slice(0, 5) })}`,
    );
}

const expected = await undisturbed();
await suite('killed and resumed', 'kills', rounds, async (seed) => {
  const { kills, ...rest } = await killAndResume(seed, expected);
  return { ...rest, faults: kills };
});
await suite('killed and resumed, with payloads that fail', 'kills', rounds / 10, async (seed) => {
  const payload = faultyPayload(seed);
  const { kills, ...rest } = await killAndResume(seed, await undisturbed(payload), payload);
  return { ...rest, faults: kills };
});
await suite('deliveries twice, late and out of order', 'late or repeated deliveries', rounds, async (seed) => {
  const folder = temporaryFolder();
  await startCli(folder, ['run', '--speed', 'max', ...runSettings]).ended;
  const { repeated, late, ...rest } = await disorderly(seed, folder);
  return { ...rest, faults: repeated + late };
});
if (mayMount()) {
  await suite('a disk that is full again and again', 'times full', rounds / 10, async (seed) => {
    const { full, ...rest } = await fillDisk(seed, expected);
    return { ...rest, faults: full };
  });
} else console.log('a disk that is full: not tried, since this user may not mount one; run as root');
process.exitCode = failed ? 1 : 0;
