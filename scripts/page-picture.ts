import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';

import { chromium, type Page } from 'playwright-core';

/**
 * Makes the pictures of the page in docs/ from real runs, one with failing slices and one that continues:
 * npm run docs:page. It needs a browser (CHROMIUM, or Debian's), and is a separate script because each run
 * looks a little different.
 */
const folder = mkdtempSync(join(tmpdir(), 'swf-mcp-picture-'));
const cli = resolve('dist/cli.js');
const env = { ...process.env, SWF_DB: join(folder, 'swf.db'), SWF_USER: 'shifter' };

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

/** Runs this program until it ends, and returns its output. */
const run = (...words: string[]): string =>
  execFileSync(process.execPath, [cli, ...words], { cwd: folder, env, encoding: 'utf8' });

/** The places in the page, and what to wait for there. */
const ofRun = (id: string): string => `#/${id}`;
const backlog = (page: Page): Promise<void> => page.getByRole('img', { name: /^Backlog:/ }).waitFor();
const canvas = (page: Page): Promise<void> => page.locator('canvas').waitFor();

/** The pictures by file name: where each is taken, its size, and what is done first. */
const pictures: Readonly<
  Record<
    string,
    {
      /** @param id of the execution with failures @param ids of the other executions */
      place: (id: string, ids: { silent: string; observed: string }) => string;
      width?: number;
      height: number;
      isDark?: true;
      ready: (page: Page) => Promise<void>;
    }
  >
> = {
  'page.png': { place: ofRun, height: 1700, ready: canvas },
  'page-dark.png': { place: ofRun, height: 800, isDark: true, ready: backlog },
  'page-slice.png': {
    place: ofRun,
    height: 800,
    async ready(page) {
      await page.getByRole('button', { name: 'example' }).first().click();
      await page.getByRole('dialog').getByText('exit code', { exact: true }).waitFor();
    },
  },
  'page-part.png': {
    place: ofRun,
    height: 1100,
    async ready(page) {
      const throughput = page.getByRole('img', { name: /^Throughput:/ });
      await throughput.waitFor();
      await throughput.press('+');
      await page.getByText('Showing a part').waitFor();
      await page.locator('canvas').scrollIntoViewIfNeeded();
    },
  },
  'page-silent.png': { place: (_, { silent }) => `#/${silent}`, height: 1100, ready: backlog },
  'page-observed.png': { place: (_, { observed }) => `#/${observed}`, height: 1100, ready: canvas },
  'page-compare.png': {
    place: (id) => `#/compare/${id}/latest`,
    height: 900,
    ready: (page) => page.getByText('b against a').waitFor(),
  },
  'page-phone-run.png': { place: ofRun, width: 390, height: 1700, ready: backlog },
  'page-executions.png': {
    place: () => '#/',
    height: 420,
    ready: (page) => page.getByRole('link', { name: /^stf_/ }).first().waitFor(),
  },
  'page-wall.png': {
    place: () => '#/wall',
    width: 1920,
    height: 1080,
    ready: (page) => page.locator('.course .completed').first().waitFor(),
  },
  'page-phone.png': {
    place: () => '#/wall',
    width: 390,
    height: 700,
    ready: (page) => page.locator('.card .big').first().waitFor(),
  },
  'shift-alarms.png': {
    place: () => '#/',
    height: 420,
    async ready(page) {
      await page.getByText('not seen by anyone').click();
      await page.getByRole('link', { name: /^stf_/ }).first().waitFor();
    },
  },
  'shift-report.png': {
    place: () => '#/shift',
    height: 900,
    ready: (page) => page.getByRole('heading', { name: 'For the next shift' }).waitFor(),
  },
};

const server = spawn(process.execPath, [cli, 'serve', '--http', '0'], { cwd: folder, env });
const watcher = spawn(process.execPath, [cli, 'watch', '--every', '1', '--set', 'watch.after.SLICES_FAILED=0'], {
  cwd: folder,
  env,
});
const others = [server, watcher];
try {
  spawnSync(process.execPath, [cli, 'run', '--speed', '8', '--stf-count', '30', ...settings], {
    cwd: folder,
    env,
    stdio: 'ignore',
  });
  const [line] = (await once(server.stderr, 'data')) as [Buffer];
  const [root = ''] = /http:\S+\/(?=mcp)/.exec(line.toString()) ?? [];
  const { execution_id } = JSON.parse(run('status', '--json')) as { execution_id: string };
  const killed = spawn(process.execPath, [cli, 'run', '--speed', '8', ...settings], { cwd: folder, env });
  await setTimeout(5000);
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  run('observe', '--from', resolve('test/recordings/H-2/bus.jsonl.gz'));
  const listed = JSON.parse(run('list', '-o', 'json')) as { execution_id: string; origin: string; status: string }[];
  const idOf = (wanted: (row: (typeof listed)[number]) => boolean): string => listed.find(wanted)?.execution_id ?? '';
  const ids = {
    silent: idOf(({ status }) => status === 'running'),
    observed: idOf(({ origin }) => origin === 'observed'),
  };
  run('note', execution_id, 'the geometry of the new detector is missing: some slices cannot be done');
  run('quality', execution_id, 'test', '--reason', 'without the geometry');
  others.push(spawn(process.execPath, [cli, 'run', '--speed', '4', '--stf-count', '60'], { cwd: folder, env }));
  run('note', 'none', 'mind the geometry before the next physics run', '--for-next');
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  });
  for (const [file, { place, width = 1280, height, isDark, ready }] of Object.entries(pictures)) {
    const page = await browser.newPage({
      viewport: { width, height },
      colorScheme: isDark === true ? 'dark' : 'light',
    });
    await page.goto(root + place(execution_id, ids));
    await ready(page);
    while ((await page.locator('.skeleton').count()) > 0) await setTimeout(100);
    await page.screenshot({ path: join('docs', file) });
    await page.close();
  }
  await browser.close();
} finally {
  for (const other of others) other.kill();
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
}
