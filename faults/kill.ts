import { random } from '../src/domain/plan/v1.ts';
import { temporaryFolder } from '../test/folder.ts';
import { type Ended, startCli } from './cli.ts';
import { differences, doneTwice, outcomeIn, type Outcome } from './outcome.ts';

/** A run of 20 STFs in two periods with 300 slices, so that kills hit every phase. */
export const runSettings = [
  '--stf-count',
  '10',
  '--set',
  'fast_processing.physics_period_count=2',
  '--set',
  'fast_processing.slice_processing_time=5',
];
const speed = '150';

/**
 * A kill comes within this time after the start of a process, in milliseconds: about as long as an
 * undisturbed run takes.
 */
const killWithin = 800;
const maxKills = 4;
/**
 * With payloads, an attempt that is in hand at three kills fails, since its payload may have killed the
 * driver. On a busy machine, one slice can be in hand at every kill.
 */
const maxKillsWithPayloads = 2;

interface Injury {
  seed: number;
  kills: number;
  lost: string[];
  added: string[];
  twice: string[];
}

/** The outcome of an undisturbed run. */
export async function undisturbed(more: readonly string[] = []): Promise<Outcome> {
  const folder = temporaryFolder();
  const { code, stderr } = await startCli(folder, ['run', '--speed', 'max', ...runSettings, ...more]).ended;
  if (code !== 0 && code !== 3) throw new Error(`the undisturbed run ended with ${code}: ${stderr}`);
  return outcomeIn(folder);
}

/** Kills a run at moments that the seed determines, resumes it each time, and reports what that has changed. */
export async function killAndResume(seed: number, expected: Outcome, more: readonly string[] = []): Promise<Injury> {
  const folder = temporaryFolder();
  const most = more.length > 0 ? maxKillsWithPayloads : maxKills;
  const plannedKills = 1 + Math.floor(random(seed, 0, 'kills') * most);
  let kills = 0;
  for (let process = 1; ; process += 1) {
    const delay = kills < plannedKills ? random(seed, process, 'moment') * killWithin : Infinity;
    const ended = await runFor(folder, process === 1, delay, more);
    if (ended.signal === 'SIGKILL') kills += 1;
    else if (ended.code === 0 || ended.code === 3) break;
    else throw new Error(`seed ${seed}: ended with ${ended.code}: ${ended.stderr}`);
  }
  return { seed, kills, ...differences(expected, outcomeIn(folder)), twice: doneTwice(folder) };
}

/** Runs or resumes for a while. If a kill comes before anything is recorded, there is nothing to resume. */
async function runFor(folder: string, isFirst: boolean, milliseconds: number, more: readonly string[]): Promise<Ended> {
  const run = ['run', '--speed', speed, ...runSettings, ...more];
  const resumed = isFirst ? undefined : await startFor(folder, ['resume', 'latest'], milliseconds);
  const isThere = resumed !== undefined && !/^(STORE_UNAVAILABLE|EXECUTION_NOT_FOUND)/.test(resumed.stderr);
  return isThere ? resumed : startFor(folder, run, milliseconds);
}

async function startFor(folder: string, args: readonly string[], milliseconds: number): Promise<Ended> {
  const { child, ended } = startCli(folder, args);
  const timer = milliseconds === Infinity ? undefined : setTimeout(() => child.kill('SIGKILL'), milliseconds);
  const result = await ended;
  clearTimeout(timer);
  return result;
}
