// Bundles one benchmark, with the servers that it compares with, and runs it: node scripts/bench.js NAME, for bench/NAME.ts.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';

import { build } from 'esbuild';

const [name = ''] = process.argv.slice(2);
const common = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  outdir: 'dist-bench',
  logLevel: 'warning',
};
await build({ ...common, entryPoints: [`bench/${name}.ts`], packages: 'external' });
// Bundled as the product is: loading many small files is not what is compared.
await build({ ...common, entryPoints: ['bench/bare-server.ts'] });
const { status } = spawnSync(process.execPath, [`dist-bench/${name}.js`], { stdio: 'inherit' });
rmSync('dist-bench', { recursive: true, force: true });
process.exitCode = status ?? 1;
