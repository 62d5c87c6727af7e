// Bundles one benchmark and runs it: node scripts/bench.js NAME, for bench/NAME.ts.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';

import { build } from 'esbuild';

const [name = ''] = process.argv.slice(2);
const outfile = `dist-bench/${name}.js`;
await build({
  entryPoints: [`bench/${name}.ts`],
  outfile,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  logLevel: 'warning',
});
const { status } = spawnSync(process.execPath, [outfile], { stdio: 'inherit' });
rmSync('dist-bench', { recursive: true, force: true });
process.exitCode = status ?? 1;
