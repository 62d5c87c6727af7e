import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { random } from '../src/domain/plan/v1.ts';
import { temporaryFolder } from '../test/folder.ts';
import { startCli, storeIn } from './cli.ts';

const wait = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });

/**
 * Two backups to the same name, started shortly after each other on a disk with space for one and a half
 * copies; sometimes the first is killed. A backup that reported success must be there and complete; anything else
 * left over must be something that the next backup removes.
 */
export async function twoBackups(seed: number, store: string) {
  const folder = temporaryFolder();
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=9000k', 'tmpfs', folder]);
  try {
    cpSync(store, storeIn(folder));
    const target = join(folder, 'b.db');
    const chance = (what: string): number => random(seed, 0, what);
    const one = startCli(folder, ['backup', target]);
    await wait(chance('begin') * 24);
    const other = startCli(folder, ['backup', target]);
    if (chance('kill') < 0.4) setTimeout(() => one.child.kill('SIGKILL'), chance('when') * 250);
    const ends = await Promise.all([one.ended, other.ended]);
    const done = ends.filter(({ code }) => code === 0);
    const lost: string[] = [];
    if (done.length > 1) lost.push('two backups to one name said that they are done');
    if (done.length === 1) lost.push(...(await notWhole(folder, target)));
    if (done.length === 0 && existsSync(target)) lost.push(...(await notWhole(folder, target)));
    // A backup to another name leaves the leftovers of this name; a backup to this name removes them.
    if (!existsSync(target)) await startCli(folder, ['backup', target]).ended;
    const left = readdirSync(folder).filter(
      (name) => name.includes('.part') && existsSync(target) && done.length === 0,
    );
    return { seed, faults: ends.filter(({ signal }) => signal === 'SIGKILL').length + 1, lost, added: left };
  } finally {
    execFileSync('umount', [folder]);
  }
}

async function notWhole(folder: string, target: string): Promise<string[]> {
  if (!existsSync(target)) return ['a backup that said that it is done is gone'];
  const { code, stdout, stderr } = await startCli(folder, ['--db', target, 'check', '--skip-files']).ended;
  return code === 0 ? [] : [`the backup is not whole: ${stdout}${stderr}`];
}
