import { dirname } from 'node:path';

import { expect, it } from 'vitest';

import { makeRunningStore, runCli, sayShortExecutions } from '../../helpers.ts';

it('status without an id shows running executions, and names the newest if it is none of them', async () => {
  const made = await makeRunningStore();
  const status = async (...words: string[]) =>
    (await runCli(['status', ...words], { folder: dirname(made.path), env: { SWF_DB: made.path } })).stdout;
  expect(await status()).not.toMatch(/The newest/);
  await sayShortExecutions(made, 1);
  const newest = 'The newest is stf_datataking-tester-0002, completed: "swf-mcp status latest" shows it';
  expect(await status()).toMatch(new RegExp(`^stf_datataking-tester-0001[^]*\\n${newest}\\n$`));
  expect(await status('latest')).not.toMatch(/The newest/);
});
