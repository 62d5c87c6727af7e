import { once } from 'node:events';
import { rmSync } from 'node:fs';
import type { Readable } from 'node:stream';

import { random } from '../src/domain/plan/v1.ts';
import { pause } from '../src/lib/deadline.ts';
import { temporaryFolder } from '../test/folder.ts';
import { startCli, storeIn } from './cli.ts';
import { runSettings } from './kill.ts';
import { differences, doneTwice, outcomeIn, type Outcome } from './outcome.ts';

/** The files are removed within this time after the run's first output, in milliseconds. */
const within = 600;

/**
 * Removes the write-ahead log of a run at a moment that the seed determines, resumes the run, and reports
 * what that has changed.
 */
export async function removeLog(seed: number, expected: Outcome) {
  const folder = temporaryFolder();
  const run = startCli(folder, ['run', '--speed', '150', ...runSettings]);
  // Before the run's first output, the execution may not be recorded yet, and there would be nothing to lose.
  await Promise.race([once(run.child.stdout as Readable, 'data'), run.ended]);
  await pause(random(seed, 0, 'log') * within);
  for (const ending of ['-wal', '-shm']) rmSync(`${storeIn(folder)}${ending}`, { force: true });
  const { code, stderr } = await run.ended;
  const isNoticed = code === 1 && /STORE_UNAVAILABLE: .*-wal, a part of the store, was removed/.test(stderr);
  if (code !== 0 && !isNoticed) throw new Error(`seed ${seed}: ended with ${code}: ${stderr}`);
  if (code !== 0) {
    const resumed = await startCli(folder, ['resume', 'latest', '--speed', 'max']).ended;
    if (resumed.code !== 0) throw new Error(`seed ${seed}: the resume ended with ${resumed.code}: ${resumed.stderr}`);
  }
  const deep = await startCli(folder, ['check', '--deep']).ended;
  const wrong = deep.code === 0 ? [] : [`check: ${deep.stdout}`];
  const { lost, added } = differences(expected, outcomeIn(folder));
  return { seed, faults: code === 0 ? 0 : 1, lost: [...lost, ...wrong], added, twice: doneTwice(folder) };
}
