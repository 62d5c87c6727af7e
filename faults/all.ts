import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { temporaryFolder } from '../test/folder.ts';
import { twoBackups } from './backups.ts';
import { startCli } from './cli.ts';
import { disorderly } from './deliveries.ts';
import { fillDisk, mayMount } from './disk.ts';
import { crowd } from './http-clients.ts';
import { killAndResume, runSettings, undisturbed } from './kill.ts';
import { removeLog } from './log-removed.ts';
import { mayUnshare, otherNamespace } from './namespaces.ts';
import { faultyPayload } from './payload.ts';
import { pipesForFiles } from './pipes.ts';
import { runSuite } from './suite.ts';

/**
 * The fault suite: `npm run faults -- --rounds 200 --seed 1`. A seed determines every fault. The suite
 * reports what a fault has changed; to repeat one round, give its seed and `--rounds 1`.
 */
const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '200' }, seed: { type: 'string', default: '1' } },
});
const rounds = Number(values.rounds);
const suite = runSuite(Number(values.seed));

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
await suite('the write-ahead log removed', 'logs removed', rounds / 10, (seed) => removeLog(seed, expected));
await suite('pipes in the place of data files', 'pipes', rounds / 20, pipesForFiles);
const large = temporaryFolder();
await startCli(large, ['run', '--speed', 'max', '--stf-count', '60']).ended;
await suite('half-open connections and storms of batches', 'clients that misbehave', rounds / 20, (seed) =>
  crowd(seed, large),
);
if (mayMount()) {
  await suite('a disk that is full again and again', 'times full', rounds / 10, async (seed) => {
    const { full, ...rest } = await fillDisk(seed, expected);
    return { ...rest, faults: full };
  });
  await suite('two backups to one name', 'races', rounds / 10, (seed) => twoBackups(seed, join(large, 'swf.db')));
} else
  console.log(
    'a disk that is full, and backups on a small one: not tried, since this user may not mount one; run as root',
  );
if (mayUnshare())
  await suite('a run in another namespace of processes', 'resumes refused', rounds / 20, (seed) =>
    otherNamespace(seed, expected),
  );
else console.log('another namespace of processes: not tried, since this user may not make one; run as root');
process.exitCode = suite.hasFailed() ? 1 : 0;
