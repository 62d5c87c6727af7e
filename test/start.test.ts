import { statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';

import { runWorkflow, startCli, temporaryFolder } from './helpers.ts';
import { importedUrls, notingImports } from './imported-files.ts';
import { initializeParams, lines, request, stateless } from './mcp/messages.ts';

/** The packages with code in the files that a start of the server loads for a client of each era. */
async function packagesOfTheServer(): Promise<Record<string, string[]>> {
  const { metafile } = await build({
    entryPoints: ['src/commands/serve/serve.ts'],
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    outdir: 'dist',
    write: false,
    metafile: true,
    external: ['better-sqlite3'],
    alias: {
      ajv: './scripts/nothing.js',
      'ajv-formats': './scripts/nothing.js',
      '@modelcontextprotocol/server/_shims': './scripts/shims.js',
    },
  });
  const loaded = (path: string): string[] => {
    const { inputs = {}, imports = [] } = metafile.outputs[path] ?? {};
    const further = imports.filter(({ kind }) => kind === 'import-statement').flatMap((one) => loaded(one.path));
    // A package that is not used leaves a few bytes.
    const used = Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 100);
    return [...used.map(([file]) => file), ...further];
  };
  const outputOf = (entry: string): string =>
    Object.keys(metafile.outputs).find((path) => metafile.outputs[path]?.entryPoint === entry) ?? '';
  const packagesOf = (...entries: string[]): string[] => {
    const packages = entries
      .flatMap((entry) => loaded(outputOf(entry)))
      .flatMap((file) => /\bnode_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []);
    return [...new Set(packages)].toSorted();
  };
  const serve = 'src/commands/serve/serve.ts';
  return { handshake: packagesOf(serve, 'src/mcp/sdk-1.ts'), stateless: packagesOf(serve, 'src/mcp/sdk-2.ts') };
}

/** What a process of the server, asked for a monitor by a client of an era, imports. */
async function importedBy(era: keyof typeof openings): Promise<string[]> {
  const folder = temporaryFolder();
  await runWorkflow(folder, '--stf-count', '1');
  const imported = join(folder, 'imported');
  const server = startCli([], { folder, env: notingImports(imported) });
  server.child.stdin?.write(openings[era]);
  await server.saw(/"id":2/);
  // Flags that save memory are set once the first answer is given.
  await expect.poll(() => importedUrls(imported)).toContain('node:v8');
  server.child.stdin?.end();
  expect((await server.finished).stdout).toContain('"slices_completed":15');
  return importedUrls(imported);
}

const monitor = (more = {}): object =>
  request('tools/call', 2, { name: 'get_workflow_monitor', arguments: { execution_id: 'latest' }, ...more });

const openings = {
  handshake: lines(request('initialize', 1, initializeParams), monitor()),
  stateless: lines(request('server/discover', 1, stateless), monitor(stateless)),
};

describe('a server on stdio', () => {
  it('bundles only the listed packages', async () => {
    const ours = ['fastest-levenshtein', 'tinyqueue', 'zod'];
    expect(await packagesOfTheServer()).toEqual({
      handshake: ['@modelcontextprotocol/sdk', ...ours],
      stateless: ['@modelcontextprotocol/core', '@modelcontextprotocol/server', ...ours],
    });
  });

  // One more chunk costs half a millisecond, and so do 20 kB.
  it.each([
    ['handshake', 815_000],
    ['stateless', 1_062_000],
  ] as const)('loads only the listed modules for its first answer to a client of the %s era', async (era, bytes) => {
    const urls = await importedBy(era);
    expect(urls.at(-1)).toBe('node:v8');
    // The watcher itself has loaded `node:module`, which the product imports too.
    expect(urls.filter((url) => /^node:(?!(?:module|v8)$)/.test(url)).toSorted()).toEqual([
      'node:fs',
      'node:os',
      'node:path',
      // Node itself has loaded it for the standard streams.
      'node:stream',
      'node:timers/promises',
      'node:url',
      // As `node:stream`.
      'node:util',
    ]);
    const files = urls.filter((url) => url.startsWith('file:')).map((url) => fileURLToPath(url));
    const named = files
      .map((file) => file.replace(/^.*\/dist\//, '').replace(/^parts-\w+\//, ''))
      .filter((file) => !/^chunk-\w+\.js$/.test(file));
    expect(named.toSorted()).toEqual(['cli.js', 'serve.js']);
    expect(files.length).toBeLessThanOrEqual(11);
    expect(files.reduce((sum, file) => sum + statSync(file).size, 0)).toBeLessThan(bytes);
  });
});
