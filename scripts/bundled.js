// Bundles a program of this repository and runs it: node scripts/bundled.js bench/all.ts [arguments].
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { build } from 'esbuild';

const [program = '', ...rest] = process.argv.slice(2);
// In this folder, so that packages are found; under a unique name, so that two can run at the same time.
const outdir = mkdtempSync('dist-run-');
const common = { bundle: true, format: 'esm', platform: 'node', target: 'node20', outdir, logLevel: 'warning' };
await build({ ...common, entryPoints: [program], packages: 'external' });
// Bundled like the product, since the cost of loading many small files is not to be compared.
await build({ ...common, entryPoints: ['bench/bare-server.ts'] });
await build({ ...common, packages: 'external', entryPoints: ['bench/bare-subscriber.ts'] });
const hooks = ['bench/loop-delay.ts', 'bench/lock-hold.ts', 'bench/count-work.ts'];
await build({ ...common, packages: 'external', entryPoints: hooks });
const root = mkdtempSync(join(tmpdir(), 'swf-mcp-run-'));
const { status } = spawnSync(process.execPath, [`${outdir}/${basename(program, '.ts')}.js`, ...rest], {
  stdio: 'inherit',
  env: { ...process.env, SWF_BUNDLED: outdir, SWF_TEST_ROOT: root },
});
for (const folder of [outdir, root]) rmSync(folder, { recursive: true, force: true });
process.exitCode = status ?? 1;
