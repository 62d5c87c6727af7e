import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { random } from '../src/domain/plan/v1.ts';
import { temporaryFolder } from '../test/folder.ts';
import { startCli, storeIn } from './cli.ts';

/**
 * Replaces data files of a run with pipes. The run must end within six seconds of SIGTERM, and `check` must
 * not wait for the pipes.
 */
export async function pipesForFiles(seed: number) {
  const folder = temporaryFolder();
  const settings = [
    '--stf-count',
    '6',
    '--set',
    'fast_processing.slice_processing_time=5',
    '--set',
    'worker.max_retries=1',
  ];
  const run = startCli(folder, ['run', '--speed', '20', ...settings]);
  const data = join(`${storeIn(folder)}.data`, 'stf_datataking-tester-0001');
  let replaced = 0;
  const until = performance.now() + 1200 + random(seed, 0, 'end') * 1500;
  while (performance.now() < until) {
    const names = existsSync(data) ? readdirSync(data).filter((name) => /\.(stf|tf)$/.test(name)) : [];
    const name = names[Math.floor(random(seed, replaced, 'file') * names.length)];
    if (name !== undefined) {
      const path = join(data, name);
      execFileSync('sh', ['-c', 'rm -f "$0.pipe"; mkfifo "$0.pipe" && mv "$0.pipe" "$0"', path]);
      replaced += 1;
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
  }
  const asked = performance.now();
  run.child.kill('SIGTERM');
  const { code, stderr } = await run.ended;
  const took = performance.now() - asked;
  const lost: string[] = [];
  if (took > 6000) lost.push(`the run ended ${Math.round(took)} ms after SIGTERM`);
  if (/has a bug/.test(stderr)) lost.push(`${code}: ${stderr}`);
  const looked = performance.now();
  const check = await startCli(folder, ['check']).ended;
  if (performance.now() - looked > 10_000) lost.push('check waited');
  if (replaced > 0 && check.code !== 1 && !/ENOENT|missing/.test(check.stdout))
    lost.push(`check found nothing: ${check.stdout}`);
  return { seed, faults: replaced, lost, added: [] };
}
