import { join } from 'node:path';

import { expect, it } from 'vitest';

import { runCli, temporaryFolder } from '../helpers.ts';

const recorded = (name: string): string => join(import.meta.dirname, '..', 'recordings', 'PP-6', name);

it('for an ended run, status and report count the STF files that failed at a site', async () => {
  const folder = temporaryFolder();
  const files = [recorded('bus.jsonl.gz'), recorded('rest.jsonl.gz')];
  expect(await runCli(['observe', '--from', ...files], { folder })).toMatchObject({ code: 0 });
  const { stdout } = await runCli(['status'], { folder });
  expect(stdout.trimEnd().split('\n').at(-1)).toBe(
    'prompt_processing-shifter-0001: completed, 1 STF file failed, health finished',
  );
  const watched = await runCli(['status', '--watch'], { folder });
  expect(watched.code).toBe(3);
  expect(watched.stdout).toMatch(/completed.*: 5 STF files announced, 3 registered, 2 processed, 1 failed$/m);
  const report = await runCli(['report', '--since', '2026-11-29T00:00:00Z'], { folder });
  expect(report.stdout).toMatch(/^- prompt_processing-shifter-0001 STF_FAILED: 1 STF file failed in PanDA/m);
});
