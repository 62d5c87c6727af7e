import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { random } from '../src/domain/plan/v1.ts';
import { temporaryFolder } from '../test/folder.ts';
import { type Ended, startCli } from './cli.ts';
import { runSettings } from './kill.ts';
import { differences, doneTwice, outcomeIn, type Outcome } from './outcome.ts';

const small = ['run', '--speed', 'max', '--stf-count', '2'];
const main = ['run', '--speed', '150', ...runSettings];
const pruning = ['prune', '--keep', '1'];

/** The undisturbed outcome of a run that follows another run, which is pruned. */
export async function undisturbedPair(): Promise<Outcome> {
  const folder = temporaryFolder();
  for (const words of [small, ['run', '--speed', 'max', ...runSettings], pruning]) {
    const { code, stderr } = await startCli(folder, words).ended;
    if (code !== 0) throw new Error(`${words.join(' ')} ended with ${code}: ${stderr}`);
  }
  return outcomeIn(folder);
}

/** The commands to run beside the run. A number makes their files differ. */
const beside = (n: number): string[][] => [
  pruning,
  ['backup', `b${n}.db`],
  ['check', '--skip-files'],
  ['export', 'latest', '--out', `e${n}`],
  ['summarize', 'slices', '--group-by', 'worker'],
  ['serve', '--http', '0'],
  ['status', '--json'],
  ['report', '--html', `r${n}.html`],
];

const maxKills = 5;

/** Whether a command did what it could beside a run that was killed, judged by its exit code and lines. */
const isInOrder = ({ code, signal, stderr }: Ended): boolean =>
  signal === 'SIGKILL' || code === 0 || /^(?:WARNING[^\n]*\n)*[A-Z_]+: [^\n]+\n$/.test(stderr) || code === 1;

/**
 * Kills a run and the commands beside it at moments that the seed determines, continues with each, and
 * reports what that has changed: nothing may be lost or done twice, a command that fails must fail with a
 * single line, and a backup that reports success must be complete.
 */
export async function killCommands(seed: number, expected: Outcome) {
  const folder = temporaryFolder();
  await startCli(folder, small).ended;
  const chance = (n: number, what: string): number => random(seed, n, what);
  const lost: string[] = [];
  const backups: string[] = [];
  let kills = 0;
  const kill = async (words: string[], milliseconds: number): Promise<Ended> => {
    const { child, ended } = startCli(folder, words);
    const timer = setTimeout(() => child.kill('SIGKILL'), milliseconds);
    const end = await ended;
    clearTimeout(timer);
    if (end.signal === 'SIGKILL') kills += 1;
    if (!isInOrder(end) || /has a bug/.test(end.stderr))
      lost.push(`${words.join(' ')} ended with ${end.code}: ${end.stderr}`);
    if (words[0] === 'backup' && end.code === 0) backups.push(words[1] as string);
    return end;
  };
  let isBegun = false;
  for (let n = 0; n < 1 + Math.floor(chance(0, 'kills') * maxKills); n += 1) {
    const others = [1, 2].map((one) => {
      const commands = beside(10 * n + one);
      const words = commands[Math.floor(chance(n, `command ${one}`) * commands.length)] as string[];
      return kill(words, 50 + chance(n, `moment ${one}`) * 700);
    });
    await kill(isBegun ? ['resume', 'latest', '--speed', '150'] : main, 250 + chance(n, 'moment') * 700);
    isBegun ||= existsInStore(folder);
    await Promise.all(others);
  }
  const end = await startCli(folder, isBegun ? ['resume', 'latest', '--speed', 'max'] : main).ended;
  if (end.code !== 0) lost.push(`the last process ended with ${end.code}: ${end.stderr}`);
  const pruned = await startCli(folder, pruning).ended;
  if (pruned.code !== 0) lost.push(`prune ended with ${pruned.code}: ${pruned.stderr}`);
  for (const words of [['check', '--deep'], ...backups.map((name) => ['--db', name, 'check', '--skip-files'])]) {
    const { code, stdout, stderr } = await startCli(folder, words).ended;
    if (code !== 0) lost.push(`${words.join(' ')}: ${stdout}${stderr}`);
  }
  const changed = differences(expected, outcomeIn(folder));
  return { seed, faults: kills, lost: [...lost, ...changed.lost], added: changed.added, twice: doneTwice(folder) };
}

const existsInStore = (folder: string): boolean =>
  existsSync(join(folder, 'swf.db')) &&
  outcomeIn(folder)['executions']?.some((line) => line.startsWith('stf_datataking-tester-0002')) === true;
