import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { describe, expect, it } from 'vitest';

import { ask, temporaryFolder } from './helpers.ts';
import { lines, request, stateless } from './mcp/messages.ts';

const root = resolve(import.meta.dirname, '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

/** The packed package, installed in an empty folder, as a consumer does. */
function installPacked(): string {
  const folder = temporaryFolder();
  execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], { cwd: root });
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  const install = ['--silent', '--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'];
  execFileSync('npm', ['install', ...install, `./swf-mcp-${version}.tgz`], { cwd: folder });
  // Compiling SQLite takes two minutes of one core, and "npm ci" has done it here as it does for a consumer.
  // From version 13 on, for Node.js 22 and newer, it includes its binaries.
  const build = 'node_modules/better-sqlite3/build';
  if (existsSync(join(root, build))) cpSync(join(root, build), join(folder, build), { recursive: true });
  return folder;
}

/** Asks a server on stdio about its newest run as a client of each era: as SDK 1.x does, and without a handshake. */
async function askInBothEras(command: string, args: string[], { folder, env }: { folder: string; env: Environment }) {
  const client = new Client({ name: 'consumer', version: '0' });
  await client.connect(new StdioClientTransport({ command, args, cwd: folder, env, stderr: 'ignore' }));
  await client.listTools();
  const handshake = await ask(client, 'get_workflow_monitor', { execution_id: 'latest' });
  await client.close();
  const call = { name: 'get_workflow_monitor', arguments: { execution_id: 'latest' }, ...stateless };
  const { stdout } = spawnSync(command, args, {
    cwd: folder,
    env,
    encoding: 'utf8',
    input: lines(request('server/discover', 1, stateless), request('tools/call', 2, call)),
  });
  const [discovered, called] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: number; result: Record<string, unknown> })
    .toSorted((a, b) => a.id - b.id);
  return { handshake, discovered: discovered?.result, stateless: called?.result['structuredContent'] };
}

type Environment = Record<string, string>;

/** An answer without the moment of asking. */
const settled = (answer: Record<string, unknown>) => ({ ...answer, as_of_exact: undefined });

function expectBothEras({ handshake, discovered, stateless: later }: Awaited<ReturnType<typeof askInBothEras>>) {
  expect(handshake).toMatchObject({ status: 'completed' });
  expect(settled(later as Record<string, unknown>)).toEqual(settled(handshake));
  expect(discovered).toMatchObject({ supportedVersions: expect.arrayContaining(['2026-07-28']) });
}

describe('the packed package, installed in an empty folder,', () => {
  it(
    'prints its version, performs a run, and serves it to clients of both MCP eras',
    { timeout: 600_000 },
    async () => {
      const folder = installPacked();
      const env = { ...process.env, SWF_DB: join(folder, 'data', 'swf.db'), SWF_USER: 'consumer' } as Environment;
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

      const answers = await askInBothEras(command, [], { folder, env });
      expectBothEras(answers);
      expect(answers.handshake).toMatchObject({ slices_completed: 45 });
    },
  );

  it('has docs and licences but no pictures, tests or sources, in at most 3 MB', () => {
    // A list of packages up to npm 11, an object from npm 12 on.
    const [packed] = Object.values<{ files: { path: string }[] }>(
      JSON.parse(
        execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root, encoding: 'utf8' }),
      ),
    );
    const files = packed?.files.map(({ path }) => path);
    // Here dist/ also holds earlier builds, which "prepack" removes.
    const built = JSON.parse(readFileSync(join(root, 'dist/build.json'), 'utf8')) as { files: string[]; parts: string };
    const isCurrent = (path: string): boolean =>
      built.files.includes(path) || path.startsWith(`dist/${built.parts}/`) || path.startsWith('dist/web/');
    const shipped = files?.filter((path) => !path.startsWith('dist/') || isCurrent(path)) ?? [];
    const packedSize = shipped.reduce((sum, path) => sum + gzipSync(readFileSync(join(root, path))).length, 0);
    expect(packedSize).toBeGreaterThan(1_000_000);
    expect(packedSize).toBeLessThan(3_000_000);
    expect(files).toEqual(
      expect.arrayContaining([
        'LICENSE',
        'README.md',
        'SECURITY.md',
        'docs/operating.md',
        'docs/decisions/sqlite.md',
        'dist/cli.js',
        'dist/THIRD-PARTY-NOTICES.txt',
        'workflows/fast_processing_default.toml',
      ]),
    );
    expect(files?.filter((path) => /\.(png|svg)$/.test(path))).toEqual([]);
    expect(files?.filter((path) => /^(src|test|scripts|node_modules)\//.test(path))).toEqual([]);
    const notices = readFileSync(join(root, 'dist/THIRD-PARTY-NOTICES.txt'), 'utf8');
    for (const name of [
      '@modelcontextprotocol/sdk',
      '@modelcontextprotocol/server',
      'zod',
      '@iarna/toml',
      'commander',
      'fastest-levenshtein',
    ]) {
      expect(notices).toMatch(new RegExp(`^${name} \\d`, 'm'));
    }
  });
});

const nodesAreWanted = process.env['SWF_TEST_NODES'] === '1';
if (!nodesAreWanted)
  console.log('installs on other versions of Node.js are skipped: set SWF_TEST_NODES=1 (they fetch Node.js from npm)');

describe.skipIf(!nodesAreWanted)('the packed package, installed by npm 12', () => {
  it.each(['22', '24'])('works on Node.js %s, for clients of both MCP eras', { timeout: 600_000 }, async (major) => {
    const folder = temporaryFolder();
    execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], { cwd: root });
    const tools = join(folder, 'tools');
    mkdirSync(tools);
    writeFileSync(join(tools, 'package.json'), '{"private":true}');
    const other = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
    execFileSync('npm', ['install', '--silent', '--no-audit', '--no-fund', `${other}@${major}`, 'npm@12'], {
      cwd: tools,
    });
    const node = join(tools, 'node_modules', other, 'bin/node');
    const npm = join(tools, 'node_modules/npm/bin/npm-cli.js');
    const env = {
      ...process.env,
      PATH: `${dirname(node)}:${process.env['PATH']}`,
      SWF_DB: join(folder, 'swf.db'),
      SWF_USER: 'consumer',
    } as Environment;
    writeFileSync(join(folder, 'package.json'), '{"private":true}');
    execFileSync(node, [npm, 'install', '--silent', '--no-audit', '--no-fund', `./swf-mcp-${version}.tgz`], {
      cwd: folder,
      env,
    });
    const swf = (...args: string[]): string =>
      execFileSync(node, [join(folder, 'node_modules/swf-mcp/dist/cli.js'), ...args], {
        cwd: folder,
        env,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
    const command = join(folder, 'node_modules/.bin/swf-mcp');
    expect(spawnSync(command, ['doctor'], { cwd: folder, env, encoding: 'utf8' }).stdout).toMatch(
      new RegExp(`^ok {4}node +${major}\\.`, 'm'),
    );
    expect(JSON.parse(swf('run', 'histogram', '--stf-count', '1', '--speed', 'max', '--json'))).toMatchObject({
      slices_completed: 15,
    });
    expectBothEras(await askInBothEras(node, [join(folder, 'node_modules/swf-mcp/dist/cli.js')], { folder, env }));
  });
});
