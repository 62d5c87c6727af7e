import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { describe, expect, it } from 'vitest';

import { loadConfig } from '../../src/config/load.ts';
import { knownKeys } from '../../src/config/schema.ts';
import { codeOf } from '../codes.ts';
import { runCli, temporaryFolder } from '../helpers.ts';

const shippedFolder = resolve('workflows');

async function config(folder: string, args: string[], env: Record<string, string> = {}): Promise<string> {
  const { code, stdout, stderr } = await runCli(['config', ...args], { folder, env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

/** The line of a key, with single spaces. */
const lineOf = (text: string, key: string): string | undefined =>
  text
    .split('\n')
    .find((line) => line.replace(/^# /, '').startsWith(`${key} `))
    ?.replaceAll(/ +/g, ' ');

describe('swf-mcp config', () => {
  it('shows every key with its value and the file, flag or variable that it came from', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'mine.toml');
    const overrides = join(folder, 'overrides.toml');
    writeFileSync(
      file,
      '[testbed]\nnamespace = "mine"\n[simulation]\nstf_count = 7\n[broker]\nurl = "stomp://host:1"\npassword = "secret"\n[daq_state_machine]\nphysics_period_count = 2\n',
    );
    writeFileSync(overrides, '[daq_state_machine]\nstf_interval = 3\n');
    const text = await config(folder, ['mine.toml', '--set', 'fast_processing.slices_per_sample=4'], {
      SWF_TESTBED_CONFIG: overrides,
      ACTIVEMQ_USER: 'operator',
    });
    expect(lineOf(text, 'namespace')).toBe(`namespace = "mine" # ${file}`);
    expect(lineOf(text, 'stf_count')).toBe(`stf_count = 7 # ${file}`);
    expect(lineOf(text, 'physics_period_count')).toBe(`physics_period_count = 2 # ${file}`);
    expect(lineOf(text, 'slices_per_sample')).toBe('slices_per_sample = 4 # --set');
    expect(lineOf(text, 'stf_interval')).toBe(`stf_interval = 3 # ${overrides}`);
    expect(lineOf(text, 'standby_duration')).toBe('standby_duration = 2 # default');
    expect(lineOf(text, 'user')).toBe('user = "operator" # ACTIVEMQ_USER');
    expect(lineOf(text, 'password')).toBe(`password = "***" # ${file}`);
    expect(lineOf(text, 'dir')).toBe(`dir = "${folder}/swf.db.data" # default`);
    expect(lineOf(text, 'ca_file')).toBe('# ca_file is not set');
    expect(text).not.toContain('secret');
    for (const key of knownKeys) expect(lineOf(text, key.split('.').at(-1) as string)).toBeDefined();
  });

  it.each([[], ['watch.after.SLICES_FAILED=60']])(
    'prints a configuration that has the same effect in another folder: %s',
    async (...also) => {
      const [folder, elsewhere] = [temporaryFolder(), temporaryFolder()];
      const sets = [
        'workflow.description="a \\"quoted\\" text"',
        'data.dir="/data"',
        'fast_processing.stf_sampling_rate=0.29',
        ...also,
      ];
      const text = await config(folder, ['histogram', ...sets.flatMap((set) => ['--set', set])]);
      writeFileSync(join(elsewhere, 'copy.toml'), text);
      const { includes: _, ...workflow } = loadConfig({ name: 'histogram', sets, workingFolder: folder, shippedFolder })
        .config.workflow;
      const original = loadConfig({ name: 'histogram', sets, workingFolder: folder, shippedFolder }).config;
      const copy = loadConfig({ name: './copy.toml', workingFolder: elsewhere, shippedFolder }).config;
      expect(copy).toEqual({ ...original, workflow: { ...workflow, includes: [] } });
    },
  );

  it('refuses an unknown key as a run would', async () => {
    const folder = temporaryFolder();
    const { code, stderr } = await runCli(['config', '--set', 'fast_processing.stf_cuont=3'], { folder });
    expect(code).toBe(1);
    expect(codeOf(stderr)).toBe('CONFIG_INVALID');
  });
});
