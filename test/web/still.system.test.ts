import { resolve } from 'node:path';

import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';

import { ask, connectHttp, runCli, startCli, startHttp, temporaryFolder } from '../helpers.ts';
import { barriers, browserIsMissing, countsOf, type Moved, painted, useBrowser } from './browser.ts';

/** What comes after the first paint: the requests for it, and how it is seen. */
const parts = {
  code: { asks: /app\/(?:as-of|details|keys)-/, seen: '[role=tab]' },
  charts: { asks: /"get_execution_timeline"/, seen: 'svg[aria-label^="Backlog:"]' },
  alarms: { asks: /"list_alarms"/, seen: '.alarms:not(:empty)' },
};

type Part = keyof typeof parts;

/** Holds back requests until the returned function is called. */
async function hold(page: Page, asks: RegExp): Promise<() => void> {
  let release = (): void => {};
  const held = new Promise<void>((done) => (release = done));
  await page.route(/app\/|mcp$/, async (route) => {
    const request = route.request();
    if (asks.test(`${request.url()} ${request.postData() ?? ''}`)) await held;
    await route.fallback();
  });
  return () => release();
}

/** Holds back a part until the returned function is called, which waits until the part is seen. */
async function holdBack(page: Page, part: Part): Promise<() => Promise<void>> {
  const { asks, seen } = parts[part];
  const release = await hold(page, asks);
  return async () => {
    release();
    await page.locator(seen).first().waitFor();
  };
}

interface Seen {
  shifted: number;
  moved: string[];
}

/** Adds up what moves in a page from its first paint on, as Cumulative Layout Shift does, but over all time. */
const watchShifts = (page: Page): Promise<unknown> =>
  page.addInitScript(() => {
    const all: Seen = { shifted: 0, moved: [] };
    Object.assign(globalThis, { all });
    new PerformanceObserver((list) => {
      for (const { value, sources } of list.getEntries() as unknown as { value: number; sources: Moved[] }[]) {
        all.shifted += value;
        for (const { node, previousRect: from, currentRect: to } of sources)
          all.moved.push(`${value.toFixed(4)} ${node?.textContent} ${from.x},${from.y} to ${to.x},${to.y}`);
      }
    }).observe({ type: 'layout-shift', buffered: true });
  });

const seenIn = (page: Page): Promise<Seen> => page.evaluate(() => (globalThis as unknown as { all: Seen }).all);

describe.skipIf(browserIsMissing() !== undefined)('the page of a live run with failures', () => {
  const browser = useBrowser();
  const startRun = async (): Promise<string> => {
    const folder = temporaryFolder();
    const payload = 'worker.payload=["sh", "-c", "sleep 0.03; exit $((SWF_SLICE_ID % 5 == 0))"]';
    const run = startCli(['run', '--speed', '2', '--stf-count', '900', '--json', '--set', payload], { folder });
    await run.saw(/start_run/);
    const { url } = await startHttp({ folder });
    const client = await connectHttp(url);
    const found = async () => (await ask(client, 'get_workflow_monitor', { execution_id: 'latest' }))['findings'];
    // A finding that comes later pushes those below it, within its card.
    await expect.poll(found).toHaveLength(3);
    return url.replace(/mcp$/, '');
  };

  it.each([
    ['as they come', [], 860],
    ['alarms last', ['charts', 'code', 'alarms'], 390],
    ['charts last, and then their code', ['alarms', 'charts', 'code'], 1280],
  ] as const)('moves nothing while its parts load: %s', async (_, order, width) => {
    const releases: (() => Promise<void>)[] = [];
    const before = async (page: Page): Promise<void> => {
      await watchShifts(page);
      for (const part of order) releases.push(await holdBack(page, part));
    };
    const page = await browser.open(`${await startRun()}#/latest`, { before, width });
    await page.locator('.figure .value').first().waitFor();
    for (const release of releases) await release();
    await page.locator(parts.charts.seen).waitFor();
    await page.getByText('SLICES_FAILED').waitFor();
    // The attempts are fetched when they come near.
    await painted(page);
    const { shifted, moved } = await seenIn(page);
    expect({ shifted, moved: shifted < 0.01 ? [] : moved }).toEqual({ shifted, moved: [] });
  });

  it('keeps the log lines under the pointer until the pointer leaves them', async () => {
    const page = await browser.open(`${await startRun()}#/latest`);
    const lines = page.getByRole('tabpanel').locator('li');
    // The lines move until they are held, so the pointer may miss them at first.
    const held = async (): Promise<number> => {
      await page.getByRole('tabpanel').hover({ force: true, position: { x: 60, y: 120 } });
      return page.getByText('updates paused while the pointer is here').count();
    };
    await expect.poll(held).toBe(1);
    const newest = () => lines.first().innerText();
    const later = async (): Promise<void> => {
      const { completed = 0 } = await countsOf(page);
      await expect.poll(async () => (await countsOf(page))['completed']).toBeGreaterThan(completed + 30);
    };
    // An answer that was on its way has come.
    await later();
    const before = await newest();
    await later();
    expect(await newest()).toBe(before);
    await page.mouse.move(0, 0);
    await expect.poll(newest).not.toBe(before);
  });
});

describe.skipIf(browserIsMissing() !== undefined)('the page of a recorded run', () => {
  const browser = useBrowser();
  const open = async (run: string, path: string, width: number): Promise<Page> => {
    const folder = temporaryFolder();
    const read = ['observe', '--from', resolve(`test/recordings/${run}/bus.jsonl.gz`)];
    expect((await runCli(read, { folder })).code).toBe(0);
    const { url } = await startHttp({ folder });
    return browser.open(`${url.replace(/mcp$/, '')}${path}`, { width });
  };

  it.each([1280, 860, 390])(
    'moves no card when its film starts, plays and ends, at a width of %s px',
    async (width) => {
      const page = await open('H-1', '#/latest', width);
      const tops = () =>
        page.evaluate(() =>
          [...document.querySelectorAll('.card')].map((one) => Math.round(one.getBoundingClientRect().top + scrollY)),
        );
      const finding = page.getByText('CONTRACT_BROKEN');
      await finding.waitFor();
      await painted(page);
      const before = await tops();
      const slider = page.getByRole('slider').first();
      await page.getByRole('button', { name: 'play' }).click();
      // Without a number beside it.
      await page.getByRole('heading', { name: /^Findings$/ }).waitFor();
      await page.getByRole('button', { name: 'pause' }).click();
      expect(await tops()).toEqual(before);
      await slider.press('PageDown');
      expect(await tops()).toEqual(before);
      await page.getByRole('button', { name: 'return to now' }).click();
      await page.getByText('current state').waitFor({ state: 'detached' });
      expect(await tops()).toEqual(before);
      expect(await barriers(page)).toEqual([]);
    },
  );

  it.each(['light', 'dark'] as const)(
    'stays legible while the state at another time loads, in the %s theme',
    async (theme) => {
      const page = await open('H-1', '#/latest', 1280);
      await page.emulateMedia({ colorScheme: theme });
      await painted(page);
      const slider = page.getByRole('slider').first();
      const grey = () =>
        page.evaluate(
          () => getComputedStyle(document.querySelector('.header.awaited, .header .dimmed') ?? document.body).filter,
        );
      const first = await hold(page, /"as_of"/);
      await slider.press('Home');
      await page.getByText('dimmed: current state').waitFor();
      expect([await grey(), await barriers(page)]).toEqual(['grayscale(1)', []]);
      first();
      await page.getByText('dimmed: current state').waitFor({ state: 'detached' });
      const second = await hold(page, /"as_of"/);
      await slider.press('PageUp');
      // A short wait changes nothing.
      await expect.poll(grey).toBe('grayscale(1)');
      expect(await barriers(page)).toEqual([]);
      second();
      await expect.poll(grey).toBe('none');
      // The slider goes back as far as the run is known.
      await slider.press('Home');
      await expect.poll(() => page.locator('.header.awaited').count()).toBe(0);
      expect(await page.getByRole('alert').count()).toBe(0);
    },
  );

  it('does not show a run as fine, on its page or on the wall, if it is no longer heard from', async () => {
    const page = await open('PP-4', '#/latest', 1280);
    await page.getByText('Its health is not known.').waitFor();
    expect(await page.title()).toMatch(/^unknown · /);
    await page.getByRole('link', { name: 'Wall' }).click();
    const card = page.locator('.wall .card', { hasText: 'Its health is not known' });
    await card.getByText('not heard since 2026-11-30 02:38:14 UTC').waitFor();
    expect(await page.locator('.wall').innerText()).toMatch(/^Nothing is known to be running/m);
    expect(await page.locator('.course').count()).toBe(0);
    expect(await barriers(page)).toEqual([]);
  });
});
