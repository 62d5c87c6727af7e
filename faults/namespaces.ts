import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

import { random } from '../src/domain/plan/v1.ts';
import { temporaryFolder } from '../test/folder.ts';
import { cliPath, startCli, storeIn } from './cli.ts';
import { runSettings } from './kill.ts';
import { differences, doneTwice, outcomeIn, type Outcome } from './outcome.ts';

/** Whether this user may create pid namespaces. */
export const mayUnshare = (): boolean => spawnSync('unshare', ['--pid', '--fork', 'true']).status === 0;

/**
 * A run in its own pid namespace, as in a container with our host name; other processes try to take it over
 * while it is alive.
 */
export async function otherNamespace(seed: number, expected: Outcome) {
  const folder = temporaryFolder();
  const words = ['--pid', '--fork', '--kill-child', process.execPath, cliPath, 'run', '--speed', '100', ...runSettings];
  const inside = spawn('unshare', words, {
    cwd: folder,
    env: { ...process.env, SWF_DB: storeIn(folder), SWF_USER: 'tester' },
    stdio: 'ignore',
  });
  const over = new AbortController();
  const ended = once(inside, 'close').then(([code]) => {
    over.abort();
    return code as number;
  });
  let [refused, taken] = [0, 0];
  for (let n = 0; !over.signal.aborted; n += 1) {
    await new Promise((resolve) => {
      setTimeout(resolve, 100 + random(seed, n, 'resume') * 400);
    });
    const { code, stderr } = await startCli(folder, ['resume', 'latest', '--speed', 'max']).ended;
    if (stderr.startsWith('EXECUTION_IN_USE')) refused += 1;
    else if (code === 0 && !over.signal.aborted && !/nothing to do|has ended/.test(stderr)) taken += 1;
  }
  const code = await ended;
  const { lost, added } = differences(expected, outcomeIn(folder));
  const wrong = code === 0 ? [] : [`the run ended with ${code}`];
  return {
    seed,
    faults: refused,
    lost: [...lost, ...wrong],
    added: taken === 0 ? added : [...added, `${taken} resumes took a living run`],
    twice: doneTwice(folder),
  };
}
