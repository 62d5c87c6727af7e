import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { describe, expect, it } from 'vitest';

import { ask, temporaryFolder } from './helpers.ts';

const root = resolve(import.meta.dirname, '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

/** The packed package, installed as a consumer does it, in an empty folder elsewhere. */
function installPacked(): string {
  const folder = temporaryFolder();
  execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], { cwd: root });
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  const install = ['install', '--silent', '--no-audit', '--no-fund', '--prefer-offline', `./swf-mcp-${version}.tgz`];
  // Compiling SQLite takes a minute: in CI it is done as a consumer does it, elsewhere our own binary is lent.
  if (process.env['CI'] === 'true') {
    execFileSync('npm', install, { cwd: folder });
  } else {
    execFileSync('npm', [...install, '--ignore-scripts'], { cwd: folder });
    cpSync(join(root, 'node_modules/better-sqlite3/build'), join(folder, 'node_modules/better-sqlite3/build'), {
      recursive: true,
    });
  }
  return folder;
}

describe('the packed package, installed in an empty folder,', () => {
  it('has a version, makes a run, and serves it', { timeout: 600_000 }, async () => {
    const folder = installPacked();
    const env = { ...process.env, SWF_DB: join(folder, 'data', 'swf.db'), SWF_USER: 'consumer' };
    const command = join(folder, 'node_modules/.bin/swf-mcp');
    expect(spawnSync(command, ['--version'], { cwd: folder, env, encoding: 'utf8' })).toMatchObject({
      status: 0,
      stdout: `${version}\n`,
    });

    const run = spawnSync(command, ['run', '--stf-count', '3', '--speed', 'max', '--json'], {
      cwd: folder,
      env,
      encoding: 'utf8',
    });
    expect(run).toMatchObject({ status: 0 });
    expect(JSON.parse(run.stdout)).toMatchObject({ status: 'completed', slices_completed: 45 });

    const client = new Client({ name: 'consumer', version: '0' });
    await client.connect(new StdioClientTransport({ command, cwd: folder, env, stderr: 'ignore' }));
    await client.listTools();
    expect(await ask(client, 'get_workflow_monitor', { execution_id: 'latest' })).toMatchObject({
      slices_completed: 45,
    });
    await client.close();
  });

  it('has the licences of what is bundled, and no tests or sources', () => {
    const files = (
      JSON.parse(
        execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root, encoding: 'utf8' }),
      ) as { files: { path: string }[] }[]
    )[0]?.files.map(({ path }) => path);
    expect(files).toEqual(
      expect.arrayContaining([
        'LICENSE',
        'README.md',
        'dist/cli.js',
        'dist/THIRD-PARTY-NOTICES.txt',
        'workflows/fast_processing_default.toml',
      ]),
    );
    expect(files?.filter((path) => /^(src|test|scripts|node_modules)\//.test(path))).toEqual([]);
    const notices = readFileSync(join(root, 'dist/THIRD-PARTY-NOTICES.txt'), 'utf8');
    for (const name of ['@modelcontextprotocol/sdk', 'zod', '@iarna/toml', 'commander', 'fastest-levenshtein']) {
      expect(notices).toMatch(new RegExp(`^${name} \\d`, 'm'));
    }
  });
});
