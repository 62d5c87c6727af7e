import { join } from 'node:path';

import { expect, it } from 'vitest';

import { runCli, temporaryFolder } from '../helpers.ts';

const recorded = (name: string): string => join(import.meta.dirname, '..', 'recordings', 'PP-6', name);

it('the verdict of status counts the STF files that failed at the sites of a run', async () => {
  const folder = temporaryFolder();
  const files = [recorded('bus.jsonl.gz'), recorded('rest.jsonl.gz')];
  expect(await runCli(['observe', '--from', ...files], { folder })).toMatchObject({ code: 0 });
  const { stdout } = await runCli(['status'], { folder });
  expect(stdout.trimEnd().split('\n').at(-1)).toBe(
    'prompt_processing-shifter-0001: completed, 1 STF file failed, health finished',
  );
});
