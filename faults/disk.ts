import { execFileSync } from 'node:child_process';
import { statfsSync } from 'node:fs';

import { random } from '../src/domain/plan/v1.ts';
import { temporaryFolder } from '../test/folder.ts';
import { startCli } from './cli.ts';
import { runSettings } from './kill.ts';
import { differences, doneTwice, outcomeIn, type Outcome } from './outcome.ts';

interface FullDisk {
  seed: number;
  /** How often the disk was full. */
  full: number;
  /** The lines in which the run reported that. */
  said: string[];
  lost: string[];
  added: string[];
  twice: string[];
}

/** Whether this user may mount a disk image. */
export function mayMount(): boolean {
  const folder = temporaryFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder]);
    return true;
  } catch {
    return false;
  }
}

/**
 * Runs on a small disk, which is enlarged each time it is full, and resumes the run. Reports what that has changed.
 */
export async function fillDisk(seed: number, expected: Outcome): Promise<FullDisk> {
  const folder = temporaryFolder();
  let kilobytes = 1200 + Math.floor(random(seed, 0, 'disk') * 800);
  const mount = (option: string): void =>
    void execFileSync('mount', ['-t', 'tmpfs', '-o', `${option}size=${kilobytes}k`, 'tmpfs', folder]);
  mount('');
  try {
    const said: string[] = [];
    for (let isBegun = false; ;) {
      const args = isBegun ? ['resume', 'latest', '--speed', 'max'] : ['run', '--speed', 'max', ...runSettings];
      const { code, stderr } = await startCli(folder, args).ended;
      if (code === 0) break;
      const line = stderr.trimEnd().split('\n').at(-1) ?? '';
      if (code !== 1 || !/^(STORE_UNAVAILABLE|DATA_UNAVAILABLE): /.test(line))
        throw new Error(`seed ${seed}: ended with ${code}: ${stderr}`);
      said.push(line);
      isBegun = hasExecution(folder);
      kilobytes += 1000 + Math.floor(random(seed, said.length, 'disk') * 2000);
      mount('remount,');
      if (statfsSync(folder).bavail === 0) throw new Error('the disk has not become larger');
    }
    return { seed, full: said.length, said, ...differences(expected, outcomeIn(folder)), twice: doneTwice(folder) };
  } finally {
    execFileSync('umount', [folder]);
  }
}

function hasExecution(folder: string): boolean {
  try {
    return (outcomeIn(folder)['executions'] ?? []).length > 0;
  } catch {
    return false;
  }
}
