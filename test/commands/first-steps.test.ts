import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { codeOf } from '../codes.ts';
import { cliPath, runCli, startProcess, temporaryFolder } from '../helpers.ts';

describe('a new user', () => {
  it('sees the nearest command for a typo, and no suggestion for an unrelated word', async () => {
    const said = async (word: string): Promise<string> => {
      const { code, stderr } = await runCli([word], { folder: temporaryFolder() });
      expect(code).toBe(2);
      return stderr.trim();
    };
    expect(await said('statu')).toMatch(/'statu'; did you mean status\? swf-mcp --help lists all commands$/);
    expect(await said('slicse')).toMatch(/did you mean slices\?/);
    for (const word of ['top', 'ls', 'ps', 'version', 'submit'])
      expect(await said(word)).toBe(`error: unknown command or argument '${word}'; swf-mcp --help lists all commands`);
  });

  it('sees an error if standard output cannot be written to', async () => {
    const folder = temporaryFolder();
    const full = startProcess('sh', ['-c', `'${process.execPath}' '${cliPath}' config > /dev/full`], { folder });
    const { code, stderr } = await full.finished;
    expect(code).toBe(1);
    expect(codeOf(stderr)).toBe('DATA_UNAVAILABLE');
  });

  it('can list the configurations, and sees the nearest one for a mistyped name', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'workflows'));
    writeFileSync(join(folder, 'workflows', 'night_shift.toml'), 'includes = ["fast_processing_default.toml"]\n');
    const { code, stdout } = await runCli(['config', '--list'], { folder });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^fast_processing_default +\/.*fast_processing_default\.toml$/m);
    expect(stdout).toMatch(/^night_shift +\/.*workflows\/night_shift\.toml$/m);
    const { stderr } = await runCli(['run', 'night_shfit'], { folder });
    expect(codeOf(stderr)).toBe('CONFIG_NOT_FOUND');
  });
});
