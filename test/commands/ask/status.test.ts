import { dirname } from 'node:path';

import { expect, it } from 'vitest';

import { makeRunningStore, runCli, sayShortExecutions } from '../../helpers.ts';
import { sayBegun } from '../../made-store.ts';

it('status without an id shows the running executions, and mentions a newer one that has ended', async () => {
  const made = await makeRunningStore();
  const status = async (...words: string[]) =>
    (await runCli(['status', ...words], { folder: dirname(made.path), env: { SWF_DB: made.path } })).stdout;
  expect(await status()).not.toMatch(/The newest/);
  await sayShortExecutions(made, 1);
  const newest = 'The newest is stf_datataking-tester-0002, completed: "swf-mcp status latest" shows it';
  expect(await status()).toMatch(new RegExp(`^stf_datataking-tester-0001[^]*\\n${newest}\\n$`));
  expect(await status('latest')).not.toMatch(/The newest/);
});

it('status without an id shows the newest twenty running executions, newest last', async () => {
  const made = await makeRunningStore();
  for (let n = 2; n <= 22; n += 1) await sayBegun(made, n);
  const { stdout } = await runCli(['status'], { folder: dirname(made.path), env: { SWF_DB: made.path } });
  const shown = [...stdout.matchAll(/^stf_datataking-tester-(\d+)$/gm)].map(([, number]) => Number(number));
  expect(shown).toEqual(Array.from({ length: 20 }, (_, at) => at + 3));
});
