import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { chromium } from 'playwright-core';

/**
 * Makes docs/page.png from a real run some of whose slices fail: npm run docs:page. It needs a browser (CHROMIUM, or Debian's), and is a script of its own since
 * each run looks a little different.
 */
const folder = mkdtempSync(join(tmpdir(), 'swf-mcp-picture-'));
const cli = resolve('dist/cli.js');
const env = { ...process.env, SWF_DB: join(folder, 'swf.db'), SWF_USER: 'wenauseic' };

writeFileSync(
  join(folder, 'reconstruct.sh'),
  `#!/bin/sh
# Some slices take longer, some fail once, and some each time.
case $(( (SWF_SLICE_ID * 7 + \${#SWF_SLICE_FILENAME}) % 11 ))-$SWF_ATTEMPT in
  3-1) sleep 0.2; echo 'no calibration for this run' >&2; exit 3 ;;
  8-*) sleep 0.3; echo 'no geometry for this detector' >&2; exit 4 ;;
  5-*) sleep 0.5 ;;
  *) sleep 0.25 ;;
esac
`,
);
chmodSync(join(folder, 'reconstruct.sh'), 0o755);
const settings = [
  'worker.payload=["./reconstruct.sh"]',
  'worker.max_retries=1',
  'fast_processing.target_worker_count=12',
].flatMap((one) => ['--set', one]);

const server = spawn(process.execPath, [cli, 'serve', '--http', '0'], { cwd: folder, env });
try {
  spawnSync(process.execPath, [cli, 'run', '--speed', '8', '--stf-count', '30', ...settings], {
    cwd: folder,
    env,
    stdio: 'inherit',
  });
  const [line] = (await once(server.stderr, 'data')) as [Buffer];
  const [root = ''] = /http:\S+\/(?=mcp)/.exec(line.toString()) ?? [];
  const { execution_id } = JSON.parse(
    execFileSync(process.execPath, [cli, 'status', '--json'], { cwd: folder, env, encoding: 'utf8' }),
  ) as { execution_id: string };
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  });
  const page = await browser.newPage({ viewport: { width: 1280, height: 1320 }, colorScheme: 'light' });
  await page.goto(`${root}#/${execution_id}`);
  await page.getByRole('heading', { name: 'Slots' }).waitFor();
  await page.locator('canvas').waitFor();
  await page.screenshot({ path: 'docs/page.png' });
  await browser.close();
} finally {
  server.kill();
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
}
