import { statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';

import { ask, connectProcess, runWorkflow, temporaryFolder } from './helpers.ts';
import { importedUrls, notingImports } from './imported-files.ts';

/** The packages with code in the files that a start of the server loads. */
async function packagesOfTheServer(): Promise<string[]> {
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
    alias: { ajv: './scripts/nothing.js', 'ajv-formats': './scripts/nothing.js' },
  });
  const loaded = (path: string): string[] => {
    const { inputs = {}, imports = [] } = metafile.outputs[path] ?? {};
    const further = imports.filter(({ kind }) => kind === 'import-statement').flatMap((one) => loaded(one.path));
    // A package that is not used leaves a few bytes.
    const used = Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 100);
    return [...used.map(([file]) => file), ...further];
  };
  const packages = loaded('dist/serve.js').flatMap(
    (file) => /\bnode_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? [],
  );
  return [...new Set(packages)].toSorted();
}

describe('a server on stdio', () => {
  it('bundles only these packages', async () => {
    expect(await packagesOfTheServer()).toEqual([
      '@modelcontextprotocol/sdk',
      'fastest-levenshtein',
      'tinyqueue',
      'zod',
    ]);
  });

  it('loads only these modules for its first answer', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '1');
    const imported = join(folder, 'imported');
    const client = await connectProcess({ folder, env: notingImports(imported) });
    await ask(client, 'get_workflow_monitor', { execution_id: 'latest' });
    await client.close();

    const urls = importedUrls(imported);
    // The watcher itself has loaded `node:module`, which the product imports too; `node:v8` is loaded after a while without calls.
    expect(urls.filter((url) => /^node:(?!(?:module|v8)$)/.test(url)).toSorted()).toEqual([
      'node:fs',
      'node:os',
      'node:path',
      'node:process',
      // Node itself has loaded it for the standard streams.
      'node:stream',
      'node:timers/promises',
      'node:url',
    ]);
    const files = urls.filter((url) => url.startsWith('file:')).map((url) => fileURLToPath(url));
    const named = files
      .map((file) => file.replace(/^.*\/dist\//, '').replace(/^parts-\w+\//, ''))
      .filter((file) => !/^chunk-\w+\.js$/.test(file));
    expect(named.toSorted()).toEqual(['cli.js', 'serve.js']);
    // One more chunk costs half a millisecond, and so do 20 kB.
    expect(files.length).toBeLessThanOrEqual(8);
    expect(files.reduce((sum, file) => sum + statSync(file).size, 0)).toBeLessThan(775_000);
  });
});
