import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { chromium, type Page } from 'playwright-core';

import { median } from './figure.ts';

/**
 * Measures the page with a store of yours: `npm run bench:page -- STORE [EXECUTION_ID] [MINUTES]`. It needs
 * a browser (CHROMIUM, or Debian's). No GPU helps with any of the figures.
 */
const [store = '', executionId = 'latest', minutes = '0'] = process.argv.slice(2);
const server = spawn(process.execPath, ['dist/cli.js', '--db', store, 'serve', '--http', '0']);
const [line] = (await once(server.stderr, 'data')) as [Buffer];
const [root = ''] = /http:\S+\/(?=mcp)/.exec(line.toString()) ?? [];
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--enable-precise-memory-info'],
});

/** The canvas is drawn only while it is visible. */
async function paintedCanvas(page: Page): Promise<void> {
  await page.locator('section.card', { hasText: 'Workers over time' }).scrollIntoViewIfNeeded();
  await page.locator('canvas').waitFor();
}

/** The time from opening the address to counts, and to charts, in milliseconds. */
async function firstPicture(): Promise<{ counts: number; charts: number; workers: number }> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const began = performance.now();
  await page.goto(`${root}#/${executionId}`);
  await page.locator('.header .legend').waitFor();
  const counts = performance.now() - began;
  await page.getByRole('img', { name: /^Backlog:/ }).waitFor();
  const charts = performance.now() - began;
  await paintedCanvas(page);
  const workers = performance.now() - began;
  await page.close();
  return { counts, charts, workers };
}

/** Frames a second while a user drags over a chart. */
async function framesOfDragging(): Promise<number> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 1400 } });
  await page.goto(`${root}#/${executionId}`);
  const chart = page.getByRole('img', { name: /^Throughput:/ });
  await chart.waitFor();
  await paintedCanvas(page);
  await chart.scrollIntoViewIfNeeded();
  const box = await chart.boundingBox();
  if (box === null) throw new Error('there is no chart');
  await page.evaluate(
    'globalThis.frames = 0; const next = () => { globalThis.frames += 1; requestAnimationFrame(next); }; requestAnimationFrame(next);',
  );
  await page.mouse.move(box.x + 100, box.y + 60);
  await page.mouse.down();
  await page.evaluate('globalThis.frames = 0');
  const began = performance.now();
  for (let step = 0; performance.now() - began < 2000; step += 1)
    await page.mouse.move(box.x + 100 + ((step * 7) % 900), box.y + 60);
  const frames = await page.evaluate<number>('globalThis.frames');
  const seconds = (performance.now() - began) / 1000;
  await page.close();
  return frames / seconds;
}

/** The JavaScript memory of a page that stays open, in MB: after the first half minute, and at the end. */
async function memory(wholeMinutes: number): Promise<[first: number, last: number]> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 1400 } });
  await page.goto(`${root}#/${executionId}`);
  await paintedCanvas(page);
  const session = await page.context().newCDPSession(page);
  const used = async (): Promise<number> => {
    await session.send('HeapProfiler.collectGarbage');
    return (await page.evaluate<number>('performance.memory.usedJSHeapSize')) / 1e6;
  };
  await page.waitForTimeout(30_000);
  const first = await used();
  await page.waitForTimeout(wholeMinutes * 60_000);
  return [first, await used()];
}

try {
  await firstPicture();
  const rounds: Awaited<ReturnType<typeof firstPicture>>[] = [];
  for (let round = 0; round < 5; round += 1) rounds.push(await firstPicture());
  const of = (name: 'counts' | 'charts' | 'workers'): string =>
    `${Math.round(median(rounds.map((one) => one[name])))} ms`;
  console.log(`counts ${of('counts')}, charts ${of('charts')}, workers ${of('workers')} (medians of five)`);
  console.log(`${Math.round(await framesOfDragging())} frames a second while dragging`);
  if (Number(minutes) > 0) {
    const [first, last] = await memory(Number(minutes));
    console.log(`memory ${first.toFixed(1)} MB, after ${minutes} min ${last.toFixed(1)} MB`);
  }
} finally {
  await browser.close();
  server.kill();
}
