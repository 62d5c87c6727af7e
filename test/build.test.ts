import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { describe, expect, it } from 'vitest';

import { ask, runWorkflow, temporaryFolder } from './helpers.ts';

const root = resolve(import.meta.dirname, '..');

/** A clone of the project with its build. */
function cloned(): string {
  const folder = temporaryFolder();
  for (const name of ['dist', 'scripts', 'src', 'workflows', 'package.json', 'tsconfig.json'])
    cpSync(join(root, name), join(folder, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** Builds the clone with another title of a tool. */
function buildWith(folder: string, title: string): void {
  const path = join(folder, 'src/tools/plan-run.ts');
  writeFileSync(path, readFileSync(path, 'utf8').replace(/title: '[^']*'/, `title: '${title}'`));
  execFileSync(process.execPath, ['scripts/build.js'], { cwd: folder });
}

/** A client of a server of the clone's build. */
async function connectTo(folder: string): Promise<Client> {
  const env = { PATH: process.env['PATH'] ?? '', SWF_DB: join(folder, 'swf.db') };
  const args = [join(folder, 'dist/cli.js')];
  const client = new Client({ name: 'assistant', version: '0' });
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args, env, cwd: folder, stderr: 'ignore' }),
  );
  return client;
}

async function titleIn(folder: string): Promise<string | undefined> {
  const client = await connectTo(folder);
  const { tools } = await client.listTools();
  await client.close();
  return tools.find(({ name }) => name === 'plan_run')?.title;
}

const currentParts = (folder: string): string =>
  (JSON.parse(readFileSync(join(folder, 'dist/build.json'), 'utf8')) as { parts: string }).parts;

const partsIn = (folder: string): string[] =>
  readdirSync(join(folder, 'dist')).filter((name) => name.startsWith('parts-'));

describe('a build', () => {
  it('keeps the files that a running server may still load, and removes them a day after the next build', async () => {
    const folder = cloned();
    const first = currentParts(folder);
    await runWorkflow(folder, '--stf-count', '1');
    const client = await connectTo(folder);

    buildWith(folder, 'Another title');

    expect(await ask(client, 'plan_run', {})).toHaveProperty('slices');
    expect(await ask(client, 'query_store', { sql: 'SELECT count(*) AS n FROM v_executions' })).toMatchObject({
      rows: [[1]],
    });
    const as_of = new Date().toISOString();
    expect(await ask(client, 'get_workflow_monitor', { execution_id: 'latest', as_of })).toMatchObject({
      status: 'completed',
    });
    await client.close();
    const second = currentParts(folder);
    expect(second).not.toBe(first);
    expect(await titleIn(folder)).toBe('Another title');

    const long = new Date(Date.now() - 25 * 3_600_000);
    for (const name of [first, second]) utimesSync(join(folder, 'dist', name), long, long);
    buildWith(folder, 'A third title');
    // The second was in use until now, however long ago it was built.
    expect(partsIn(folder)).toContain(currentParts(folder));
    expect(partsIn(folder)).not.toContain(first);
    expect(partsIn(folder)).toContain(second);
  });
});
