import { chmodSync, copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';

import {
  startHttpProcess,
  type Answer,
  ask,
  connectHttp,
  makeRunningStore,
  runCli,
  startCli,
  startHttp,
  temporaryFolder,
} from '../helpers.ts';
import { sayFirstSample, slice, stf, tf } from '../tools/asking.ts';
import { barriers, browserIsMissing, countsOf, type Moved, painted, useBrowser } from './browser.ts';
import { hostile, hostilePayload, hostileRun } from './hostile-run.ts';

const missing = browserIsMissing();

/** The counts of the header: an ended execution has no slices in hand, and does not show that count. */
const shownCounts = ({ status, slices_completed, slices_failed, slices_processing, slices_queued }: Answer) => ({
  completed: slices_completed,
  failed: slices_failed,
  ...(status === 'running' ? { processing: slices_processing, queued: slices_queued } : {}),
});

const colourOf = (page: Page, name: string): Promise<string> =>
  page.evaluate((one) => {
    const canvas = document.createElement('canvas').getContext('2d');
    if (canvas === null) return '';
    document.body.style.color = `var(${one})`;
    canvas.fillStyle = getComputedStyle(document.body).color;
    canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data.join(',');
  }, name);

describe.skipIf(missing !== undefined)('the page', () => {
  const browser = useBrowser();
  let folder = '';
  let id = '';
  beforeAll(async () => {
    folder = temporaryFolder();
    id = await hostileRun(folder);
    await runCli(['run', '--speed', 'max', '--stf-count', '2', '--json'], { folder });
  });
  const serve = async (): Promise<{ url: string; root: string }> => {
    const { url } = await startHttp({ folder });
    return { url, root: url.replace(/mcp$/, '') };
  };

  it('lists executions, filters them according to its address, and opens one', async () => {
    const { root } = await serve();
    const page = await browser.open(`${root}#/?status=completed`);
    await page.getByRole('link', { name: 'stf_datataking-tester-0002' }).click();
    await page.getByRole('heading', { level: 1, name: 'stf_datataking-tester-0002' }).waitFor();
    expect(page.url()).toBe(`${root}#/stf_datataking-tester-0002`);
    await expect.poll(() => page.title()).toContain('stf_datataking-tester-0002');
    await page.goto(`${root}#/stf_datataking-tester-9999`);
    await page.getByRole('alert').getByRole('link', { name: 'stf_datataking-tester-0002' }).waitFor();
    await page.goto(`${root}#/?namespace=nowhere`);
    await page.getByText('Nothing matches.').waitFor();
  });

  it('draws an ended run in the chosen colours, the system colours, and the print colours', async () => {
    const { root } = await serve();
    const page = await browser.open(`${root}#/${id}`);
    await painted(page);
    const pixel = (): Promise<string> =>
      page.evaluate(() => String(document.querySelector('canvas')?.getContext('2d')?.getImageData(0, 0, 1, 1).data));
    const light = await pixel();
    const next = page.getByRole('button', { name: /^colours/ });
    await next.click();
    expect(await pixel()).toBe(light);
    await next.click();
    await expect.poll(pixel).not.toBe(light);
    const dark = await pixel();
    await next.click();
    await expect.poll(pixel).toBe(light);
    await page.emulateMedia({ colorScheme: 'dark' });
    await expect.poll(pixel).toBe(dark);
    await page.emulateMedia({ colorScheme: 'dark', media: 'print' });
    await expect.poll(pixel).toBe(light);
  });

  it('loads the code of a view when the view is opened, and shows an error if loading fails', async () => {
    const { root } = await serve();
    const page = await browser.open(`${root}#/`, { mayComplain: true });
    await page.getByRole('heading', { level: 1, name: 'Executions' }).waitFor();
    await page.route('**/app/shift-*.js', (route) => route.abort());
    await page.getByRole('link', { name: 'Shift' }).click();
    await page.getByText('This part of the page cannot be loaded.').waitFor();
    await page.unroute('**/app/shift-*.js');
    await page.getByRole('button', { name: 'reload the page' }).click();
    await page.getByRole('heading', { level: 1, name: 'Shift report' }).waitFor();
    expect((await fetch(`${root}app/none.js`)).status).toBe(404);
  });

  it('shows an error if its code fails to load, but not while it is loading', async () => {
    const { root } = await serve();
    const words = 'This page does not load. Load it again, or restart its server.';
    const page = await browser.open(`${root}#/`, { mayComplain: true });
    await page.route('**/app.js', (route) => route.abort());
    await page.reload();
    expect(await page.getByText(words).isVisible()).toBe(false);
    await page.getByText(words).waitFor();
    await page.unroute('**/app.js');
    await page.reload();
    await page.getByRole('heading', { level: 1, name: 'Executions' }).waitFor();
    expect(await page.getByText(words).count()).toBe(0);
  });

  it('fetches a part of its code again after a network error, without showing an error', async () => {
    const { root } = await serve();
    const page = await browser.open(`${root}#/`, { mayComplain: true });
    await page.getByRole('heading', { level: 1, name: 'Executions' }).waitFor();
    await page.route('**/app/shift-*.js', (route) => route.abort('internetdisconnected'), { times: 1 });
    await page.getByRole('link', { name: 'Shift' }).click();
    await page.getByRole('heading', { level: 1, name: 'Shift report' }).waitFor();
    expect(await page.getByText('This part of the page cannot be loaded.').count()).toBe(0);
  });

  it('filters by typed text, and keeps the text while it refreshes', async () => {
    const { root } = await serve();
    const page = await browser.open(`${root}#/`);
    const namespace = page.getByLabel('namespace');
    // Slower than the page refreshes.
    await namespace.pressSequentially('torre', { delay: 500 });
    expect(await namespace.inputValue()).toBe('torre');
    await page.getByText('Nothing matches.').waitFor();
    await page.goto(`${root}#/${id}`);
    const words = page.getByLabel('search');
    await words.pressSequentially('calib', { delay: 100 });
    const lines = page.getByRole('tabpanel').locator('li');
    await lines.filter({ hasText: 'no calibration' }).first().waitFor();
    // The lines before the filter are shown until its answer comes.
    await expect.poll(() => lines.filter({ hasNotText: 'calib' }).count()).toBe(0);
    expect(await words.inputValue()).toBe('calib');
  });

  it('keeps the charts while a part of the run is fetched, and then shows that part', async () => {
    const { root } = await serve();
    const page = await browser.open(`${root}#/${id}`);
    const chart = page.getByRole('img', { name: /^Throughput:/ });
    await chart.scrollIntoViewIfNeeded();
    const box = await chart.boundingBox();
    if (box === null) throw new Error('there is no chart');
    // Answers are held back, so that the state in between is visible.
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    await page.route('**/mcp', async (route) => {
      await held;
      await route.continue();
    });
    await page.mouse.move(box.x + box.width * 0.4, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.7, box.y + 60, { steps: 5 });
    await page.mouse.up();
    await page.getByText('Loading this part; the charts still show the previous one.').waitFor();
    expect(await chart.count()).toBe(1);
    expect(await page.getByRole('region', { name: 'Slots' }).count()).toBe(1);
    release();
    await page.getByText('Showing a part').waitFor();
    await page.getByRole('button', { name: 'the whole run' }).click();
    await page.getByText('Showing a part').waitFor({ state: 'detached' });
  });

  it('zooms with the wheel and keys, moves with buttons, and steps back', async () => {
    const { root } = await serve();
    const page = await browser.open(`${root}#/${id}`);
    const chart = page.getByRole('img', { name: /^Throughput:/ });
    await chart.scrollIntoViewIfNeeded();
    const part = (): string => new URL(page.url()).hash.split('?')[1] ?? '';
    const changed = async (act: () => Promise<void>): Promise<string> => {
      const before = part();
      await act();
      await expect.poll(part).not.toBe(before);
      return part();
    };
    const byWheel = await changed(async () => {
      await chart.hover();
      await page.keyboard.down('Control');
      await page.mouse.wheel(0, -300);
      await page.keyboard.up('Control');
    });
    await page.getByText('Showing a part').waitFor();
    const workers = page.getByRole('application');
    const byKey = await changed(() => workers.press('+'));
    await changed(() => page.getByRole('button', { name: 'earlier' }).click());
    expect(await changed(() => page.getByRole('button', { name: 'step back' }).click())).toBe(byKey);
    expect(await changed(() => page.goBack().then(() => undefined))).toBe(byWheel);
    expect(await changed(() => page.getByRole('button', { name: 'step back' }).click())).toBe('');
    await page.getByText('Showing a part').waitFor({ state: 'detached' });
  });

  it('plays the run from its start to now', async () => {
    const { root } = await serve();
    const page = await browser.open(`${root}#/${id}`);
    await page.getByRole('button', { name: 'play' }).click();
    await page.waitForURL(/asof=/);
    const done = async (): Promise<number> =>
      Number((await page.locator('.header .legend strong').first().innerText()).replaceAll(/\D/g, ''));
    const first = await done();
    await expect.poll(done).toBeGreaterThan(first);
    await page.getByRole('button', { name: 'pause' }).click();
    await page.getByRole('button', { name: 'return to now' }).click();
    await expect.poll(() => page.url()).not.toContain('asof=');
  });

  it('has keyboard shortcuts for the search, the rows and the list of shortcuts', async () => {
    const { root } = await serve();
    const page = await browser.open(root);
    await page.getByRole('link', { name: id }).waitFor();
    const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '');
    await expect.poll(async () => page.keyboard.press('j').then(focused)).toBe(id);
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor({ state: 'hidden' });
    await page.keyboard.press('/');
    await page.keyboard.type('j/?');
    expect(await page.getByRole('textbox', { name: 'words in notes and reasons' }).inputValue()).toBe('j/?');
  });

  it('shows the same counts as the monitor and the same causes as the timeline', async () => {
    const { url, root } = await serve();
    const page = await browser.open(`${root}#/${id}`);
    await page.locator('.header .legend').waitFor();
    const client = await connectHttp(url);
    const monitor = await ask(client, 'get_workflow_monitor', { execution_id: id });
    expect(monitor['slices_failed']).toBeGreaterThan(0);
    expect(await countsOf(page)).toEqual(shownCounts(monitor));
    const rows = page.getByRole('region', { name: 'Failures by cause' }).locator('tbody tr');
    await rows.first().waitFor();
    const { causes } = await ask(client, 'get_execution_timeline', { execution_id: id });
    expect(await rows.count()).toBe((causes as unknown[]).length);
    expect(await rows.first().innerText()).toContain(String((causes as Answer[])[0]?.['attempts']));
  });

  it('shows hostile text as plain text', async () => {
    const { root } = await serve();
    const page = await browser.open(`${root}#/${id}?tab=failed+slices`);
    await page.getByRole('tabpanel').locator('li').first().waitFor();
    expect(await page.getByRole('tabpanel').innerText()).toContain(hostile);
    expect(await page.evaluate(() => document.images.length)).toBe(0);
    await page.getByRole('button', { name: 'example' }).first().click();
    await page.getByRole('dialog').getByText('slice_started').first().waitFor();
    expect(await page.getByRole('dialog').innerText()).toContain(hostile);
    await page
      .getByRole('dialog')
      .getByText(/^frames \d+ to \d+$/)
      .waitFor();
    await page
      .getByRole('dialog')
      .getByText(/^worker worker-agent-\S+$/)
      .waitFor();
    expect(page.url()).toMatch(/[?&]slice=swf\.\S+_slice_\d+\.tf/);
  });

  it.each(['light', 'dark'] as const)(
    'shows a failed attempt in its slot and at its time, in %s colours',
    async (theme) => {
      const { url, root } = await serve();
      const page = await browser.open(`${root}#/${id}`, { theme });
      await painted(page);
      const answer = await ask(await connectHttp(url), 'get_execution_timeline', {
        execution_id: id,
        detail: 'page',
        bins: 300,
        slots: 400,
      });
      const span = Date.parse(answer['until'] as string) - Date.parse(answer['from'] as string);
      const failed = (answer['spans'] as number[][]).filter(([, , , state]) => state === 3);
      expect(failed.length).toBeGreaterThan(0);
      const rows = (answer['slots'] as string[]).length;
      const colours = await page.evaluate(
        ([places, count]) => {
          const canvas = document.querySelector('canvas');
          const context = canvas?.getContext('2d');
          return places.map(([row = 0, part = 0]) =>
            context
              ?.getImageData(
                Math.floor(part * (canvas?.width ?? 0)),
                Math.floor(((row + 0.3) / count) * (canvas?.height ?? 0)),
                1,
                1,
              )
              .data.join(','),
          );
        },
        [failed.map(([row = 0, start = 0, length = 0]) => [row, (start + length / 2) / span]), rows] as const,
      );
      expect(new Set(colours)).toEqual(new Set([await colourOf(page, '--failed')]));
    },
  );

  it('shows an earlier moment with the counts and messages that the tools return for it', async () => {
    const { url, root } = await serve();
    const client = await connectHttp(url);
    const { from, until } = await ask(client, 'get_execution_timeline', { execution_id: id });
    const asOf = new Date((Date.parse(from as string) + Date.parse(until as string)) / 2).toISOString();
    const then = await ask(client, 'get_workflow_monitor', { execution_id: id, as_of: asOf });
    expect(then).toMatchObject({ status: 'running', as_of: asOf });
    const page = await browser.open(`${root}#/${id}?asof=${asOf}`);
    await page.locator('.header .pill', { hasText: String(then['health']) }).waitFor();
    expect(await countsOf(page)).toMatchObject({ completed: then['slices_completed'] });
    await page.getByText('dimmed: as it is now').waitFor({ state: 'detached' });
    await page.getByRole('tab', { name: 'messages' }).click();
    const { items } = await ask(client, 'list_messages', { execution_id: id, as_of: asOf, limit: 1 });
    await page.getByRole('tabpanel').locator('li').first().filter({ hasText: items[0].message_type }).waitFor();
    await page.getByRole('button', { name: 'return to now' }).click();
    await page.locator('.header .pill', { hasText: 'completed' }).first().waitFor();
  });

  it('shows the health of the newest execution in the browser tab, and switches to the next one when it starts', async () => {
    const own = temporaryFolder();
    const run = () => runCli(['run', '--speed', 'max', '--stf-count', '1'], { folder: own });
    await run();
    const { url } = await startHttp({ folder: own });
    const page = await browser.open(`${url.replace(/mcp$/, '')}#/latest`);
    await expect.poll(() => page.title()).toMatch(/^(?:! )?finished · stf_datataking-\S+ · swf-mcp$/);
    const before = await page.title();
    const icon = () => page.locator('link[rel="icon"]').getAttribute('href');
    expect(await icon()).toMatch(/^data:image\/svg\+xml,/);
    await run();
    await expect.poll(() => page.title()).not.toBe(before);
    await expect.poll(() => page.title()).toMatch(/ · stf_datataking-\S+ · swf-mcp$/);
    // A place within a run can be shared, so it has that run's address; "back" follows again.
    await page.getByRole('tab', { name: 'messages' }).click();
    await expect.poll(() => page.url()).toContain('#/latest?tab=messages');
    await page.getByRole('slider').press('ArrowLeft');
    await expect.poll(() => page.url()).toMatch(/#\/stf_datataking-tester-0002\?\S*asof=/);
    await expect.poll(() => page.title()).toMatch(/^(?:! )?\w+ · stf_datataking-tester-0002 · swf-mcp$/);
    await page.goBack();
    await expect.poll(() => page.url()).toContain('#/latest');
    // Playing continues in the address of the run.
    await page.getByRole('button', { name: 'play' }).click();
    await page.waitForURL(/#\/stf_datataking-tester-0002\?\S*asof=/);
    const first = page.url();
    await page.waitForURL((now) => now.href !== first);
    expect(await icon()).not.toBe('data:,');
    await page.getByRole('link', { name: 'Executions' }).click();
    await expect.poll(icon).toBe('data:,');
  });

  it('closes the path of a slice on Escape, even as soon as it appears', async () => {
    const { root } = await serve();
    const page = await browser.open(`${root}#/${id}`);
    await painted(page);
    await page.evaluate(
      () =>
        new Promise<void>((seen) => {
          new MutationObserver((_, observer) => {
            if (document.querySelector('.drawer') === null) return;
            observer.disconnect();
            document.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }));
            seen();
          }).observe(document.body, { childList: true, subtree: true });
          location.hash += '?slice=swf.100010.000001_slice_007.tf';
        }),
    );
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });

  it('can be read and used with the keyboard alone', async () => {
    const { root } = await serve();
    const page = await browser.open(`${root}#/${id}`);
    await painted(page);
    const workers = page.getByRole('application');
    await workers.focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByRole('heading', { level: 2 }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await workers.evaluate((element) => element === document.activeElement)).toBe(true);
    await page.getByRole('img', { name: /^Throughput:/ }).focus();
    await page.keyboard.press('ArrowRight');
    await page
      .locator('.reading', { hasText: /completed [\d.]+, failed attempts/ })
      .first()
      .waitFor();
    const throughput = page.getByRole('img', { name: /^Throughput:/ });
    expect(await throughput.getAttribute('aria-label')).toContain('completed up to');
    const entry = page.getByRole('button', { name: 'completed', exact: true });
    await entry.press('Enter');
    await expect.poll(() => throughput.getAttribute('aria-label')).not.toContain('completed up to');
    await entry.press('Enter');
    await expect.poll(() => throughput.getAttribute('aria-label')).toContain('completed up to');
    await page.getByRole('tab', { name: 'log' }).focus();
    for (const [key, tab] of [
      ['ArrowRight', 'messages'],
      ['End', 'failed slices'],
      ['ArrowRight', 'log'],
      ['ArrowLeft', 'failed slices'],
    ] as const) {
      await page.keyboard.press(key);
      await page.getByRole('tab', { name: tab, selected: true }).waitFor();
      expect(await page.getByRole('tab', { name: tab }).evaluate((one) => one === document.activeElement)).toBe(true);
    }
  });

  it.each(['light', 'dark'] as const)('has no accessibility barriers in %s colours', async (theme) => {
    const { root } = await serve();
    for (const [address, shown] of [
      ['', 'Executions'],
      [id, 'Slots'],
      [`compare/${id}/stf_datataking-tester-0002`, 'slices completed since the start'],
      ['shift?since=-8h', 'as Markdown'],
    ]) {
      const page = await browser.open(`${root}#/${address}`, { theme });
      const main = page.getByRole('main');
      await main
        .getByText(shown as string)
        .first()
        .waitFor();
      if (address === id) await painted(page);
      expect({ address, barriers: await barriers(page) }).toEqual({ address, barriers: [] });
    }
  });

  it.each([400, 1280, 2560])('needs no horizontal scrolling at %d pixels', async (width) => {
    const { root } = await serve();
    const page = await browser.open(`${root}#/${id}`, { width });
    await painted(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
    await page.goto(`${root}#/`);
    await page.getByRole('link', { name: id }).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
  });

  it.each([
    ['an execution', '#/latest', 'Throughput and backlog'],
    ['the list', '#/', 'Executions'],
    ['a shift', '#/shift', 'Failed attempts by cause'],
  ])('fits on paper: %s', async (_, address, heading) => {
    const { root } = await serve();
    // A4 upright, less its margins, at 96 dots an inch.
    const page = await browser.open(`${root}${address}`, { width: 718 });
    await page.getByRole('heading', { name: heading }).first().waitFor();
    await page.emulateMedia({ media: 'print' });
    const overEdge = () =>
      page.evaluate(() =>
        [document.documentElement, ...document.querySelectorAll('table')]
          .filter((element) => element.getBoundingClientRect().right > 718 || element.scrollWidth > 718)
          .map(({ outerHTML }) => outerHTML.slice(0, 80)),
      );
    await expect.poll(overEdge).toEqual([]);
  });

  it('prints the name of its execution on each sheet', async () => {
    const { root } = await serve();
    const page = await browser.open(`${root}#/${id}`);
    const rules = () => page.evaluate(() => document.adoptedStyleSheets.map((sheet) => sheet.cssRules[0]?.cssText));
    await expect.poll(rules).toEqual([expect.stringContaining(`"${id}"`)]);
    await page.getByRole('link', { name: 'Shift' }).click();
    await expect.poll(rules).toEqual([]);
  });

  it('compares two executions in numbers and sentences', async () => {
    const { root } = await serve();
    const page = await browser.open(`${root}#/compare/${id}/stf_datataking-tester-0002`);
    await page.getByRole('cell', { name: 'slices completed', exact: true }).waitFor();
    expect(await page.locator('main li').count()).toBeGreaterThan(0);
  });
});

describe.skipIf(missing !== undefined)('the page of a server', () => {
  const browser = useBrowser();

  it('says that the store is empty, and follows the first run from start to end', async () => {
    const folder = temporaryFolder();
    const { url } = await startHttp({ folder });
    const page = await browser.open(url.replace(/mcp$/, ''));
    await page.getByText(/^Nothing to show yet: there is no store at .* yet; "swf-mcp .*run" creates one\.$/).waitFor();
    const run = startCli(['run', '--speed', '5', '--stf-count', '6', '--json', ...hostilePayload(folder)], { folder });
    await page.getByRole('link', { name: 'stf_datataking-tester-0001' }).click();
    const seen: number[] = [];
    await page.locator('.header .legend').waitFor();
    for (;;) {
      const { completed = 0 } = await countsOf(page);
      if (completed !== seen.at(-1)) seen.push(completed);
      if (await page.locator('.title .pill', { hasText: 'completed' }).count()) break;
    }
    expect(seen.length).toBeGreaterThan(2);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect((await run.finished).code).toBe(3);
    const monitor = await ask(await connectHttp(url), 'get_workflow_monitor', { execution_id: 'latest' });
    expect(await countsOf(page)).toEqual(shownCounts(monitor));
  });

  it('loads at most 5 kB per refresh of a live run, and moves no card when a finding appears', async () => {
    const folder = temporaryFolder();
    const sets = [`worker.payload=["sh", "-c", "sleep 0.03; [ ! -e ${folder}/fail ]"]`, 'worker.max_retries=0'];
    const args = ['run', '--speed', '2', '--stf-count', '90', '--json', ...sets.flatMap((pair) => ['--set', pair])];
    const run = startCli(args, { folder });
    await run.saw(/start_run/);
    const { url } = await startHttp({ folder });
    const page = await browser.open(`${url.replace(/mcp$/, '')}#/latest`);
    await page.getByRole('img', { name: /^Backlog:/ }).waitFor();
    await painted(page);
    const network = await page.context().newCDPSession(page);
    await network.send('Network.enable');
    let bytes = 0;
    let answers = 0;
    network.on('Network.requestWillBeSent', ({ request }) => {
      if (request.postData?.includes('get_workflow_monitor') === true) answers += 1;
    });
    network.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
    await page.evaluate(() => {
      scrollTo(0, 0);
      const moved: string[] = [];
      Object.assign(globalThis, { moved });
      new PerformanceObserver((list) => {
        for (const { sources } of list.getEntries() as unknown as { sources: Moved[] }[])
          for (const { node, previousRect, currentRect } of sources)
            if (node?.classList?.contains('card') && previousRect.y !== currentRect.y)
              moved.push(`${node.className} ${previousRect.y} ${currentRect.y}`);
      }).observe({ type: 'layout-shift' });
    });
    writeFileSync(join(folder, 'fail'), '');
    await page.getByText('SLICES_FAILED').waitFor();
    rmSync(join(folder, 'fail'));
    await expect.poll(() => answers).toBeGreaterThan(10);
    expect(await page.evaluate(() => (globalThis as unknown as { moved: string[] }).moved)).toEqual([]);
    // It requests the monitor once a second: at most 300 kB a minute. Without compression it was ten times as much.
    expect(bytes / answers).toBeLessThan(300_000 / 60);
    run.child.kill('SIGTERM');
    await run.finished;
  });

  it('reports that the server is away, keeps its content, and continues when the server is back', async () => {
    const folder = temporaryFolder();
    await runCli(['run', '--speed', 'max', '--stf-count', '1', '--json'], { folder });
    const { url, server } = await startHttpProcess({ folder });
    const page = await browser.open(url.replace(/mcp$/, ''), { mayComplain: true });
    await page.getByRole('link', { name: 'stf_datataking-tester-0001' }).waitFor();
    server.child.kill('SIGKILL');
    await server.finished;
    await page.getByText('The server is not answering.').waitFor();
    await page.getByText(/What you see is from/).waitFor();
    expect(await page.getByRole('link', { name: 'stf_datataking-tester-0001' }).count()).toBe(1);
    const again = startCli(['serve', '--http', new URL(url).port], { folder });
    await again.saw(/MCP server at/);
    await page.getByText('The server is not answering.').waitFor({ state: 'detached' });
    expect(existsSync(join(folder, 'swf.db'))).toBe(true);
  });

  it('is opened by "open" from a running server of its store, or else from a new one', async () => {
    const folder = temporaryFolder();
    await runCli(['run', '--speed', 'max', '--stf-count', '1', '--json'], { folder });
    // The program that stands in for the user's browser: it writes down its arguments.
    writeFileSync(join(folder, 'browser.sh'), `#!/bin/sh\necho "$1 $2" > ${join(folder, 'opened')}\n`);
    chmodSync(join(folder, 'browser.sh'), 0o755);
    const env = { BROWSER: `${join(folder, 'browser.sh')} --new-window` };
    const own = startCli(['open', 'latest'], { folder, env });
    const address = await own.saw(/page at (http:\S+)/);
    // Its server ends below.
    const page = await browser.open(`${address}#/stf_datataking-tester-0001`, { mayComplain: true });
    await page.getByRole('heading', { level: 1, name: 'stf_datataking-tester-0001' }).waitFor();
    await expect
      .poll(() => existsSync(join(folder, 'opened')) && readFileSync(join(folder, 'opened'), 'utf8'))
      .toBe(`--new-window ${address}#/stf_datataking-tester-0001\n`);
    if (new URL(address).port === '8181') {
      const again = await runCli(['open'], { folder, env });
      expect(again).toMatchObject({ code: 0, stdout: `${address}#/\n` });
      // A copy has the same id, and other contents from now on.
      copyFileSync(join(folder, 'swf.db'), join(folder, 'copy.db'));
      const copy = startCli(['--db', join(folder, 'copy.db'), 'open'], { folder, env });
      await copy.saw(/serves another store or belongs to another program; using a free port instead/);
      await copy.saw(/page at http/);
    }
    own.child.kill('SIGTERM');
    expect((await own.finished).code).toBe(0);
    expect(await runCli(['open', 'nowhere'], { folder, env })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^EXECUTION_NOT_FOUND/),
    });
  });

  it('shows that a run whose process is gone has no driver, and which slices were lost', async () => {
    const folder = temporaryFolder();
    const run = startCli(['run', '--stf-count', '40'], { folder });
    await run.saw(/start_run/);
    const { url } = await startHttp({ folder });
    const page = await browser.open(`${url.replace(/mcp$/, '')}#/stf_datataking-tester-0001`);
    await page
      .locator('.header .key')
      .filter({ hasText: /[1-9]\d*\s+processing/ })
      .waitFor();
    expect(await page.getByText('no driver', { exact: true }).count()).toBe(0);
    run.child.kill('SIGKILL');
    await page.getByText('running, no driver').waitFor();
    await page
      .getByRole('list', { name: 'Phases' })
      .getByText(/^no driver for \d/)
      .waitFor();
    await page
      .locator('.facts')
      .getByText(/^[\d.]+ m?s, since .* UTC$/)
      .waitFor();
    await page.getByText('Workers over time').scrollIntoViewIfNeeded();
    await page.locator('.canvas .hole').waitFor();
    await page
      .locator('.legend .key')
      .filter({ hasText: /^\s*no result$/ })
      .waitFor();
    // The shift report shows it too.
    await page.getByRole('link', { name: 'Shift' }).click();
    const row = page.getByRole('row', { name: /stf_datataking-tester-0001/ });
    await row.getByText('running, no driver').waitFor();
    await row.getByText(/^silent for /).waitFor();
  });

  it('advances its time axis even while nothing is recorded', async () => {
    const made = await makeRunningStore();
    const { url } = await startHttp({ folder: dirname(made.path) });
    const page = await browser.open(`${url.replace(/mcp$/, '')}#/stf_datataking-tester-0001`);
    const times = () => page.locator('svg.axis text, .chart svg text').allInnerTexts();
    await expect.poll(times).not.toEqual([]);
    const before = await times();
    await expect.poll(times).not.toEqual(before);
  });

  it('reports that the charts of an ended run cannot be loaded, and draws them once they can be', async () => {
    const folder = temporaryFolder();
    await runCli(['run', '--speed', 'max', '--stf-count', '1', '--json'], { folder });
    const { url } = await startHttp({ folder });
    const page = await browser.open(url.replace(/mcp$/, ''), { mayComplain: true });
    await page.route('**/mcp', (route) =>
      route.request().postData()?.includes('get_execution_timeline') === true ? route.abort() : route.continue(),
    );
    await page.goto(`${url.replace(/mcp$/, '')}#/stf_datataking-tester-0001`);
    await page.getByText('No pictures: The server is not answering. Retrying.').waitFor();
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await page.getByRole('heading', { name: 'Throughput and backlog' }).waitFor();
    await page.getByText('No pictures:').waitFor({ state: 'detached' });
    // A part is requested while the server is away: the whole stays, marked as older.
    await page.route('**/mcp', (route) => route.abort());
    await page.getByRole('img', { name: /^Throughput:/ }).press('+');
    await page.getByText('Older pictures: The server is not answering. Retrying.').waitFor();
  });

  it('has at most one request under way, however often it is hidden and shown', async () => {
    const folder = temporaryFolder();
    await runCli(['run', '--speed', 'max', '--stf-count', '1', '--json'], { folder });
    const { url } = await startHttp({ folder });
    const page = await browser.open(url.replace(/mcp$/, ''));
    let asked = 0;
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    await page.route('**/mcp', async (route) => {
      // The line of alarms sends its own requests.
      if (route.request().postData()?.includes('list_workflow_executions') === true) asked += 1;
      await held;
      await route.continue();
    });
    await expect.poll(() => asked).toBe(1);
    for (let times = 0; times < 40; times += 1)
      await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
    // When this is answered, any request that the events have caused has been counted.
    await page.evaluate("fetch('healthz').then(({ status }) => status)");
    expect(asked).toBe(1);
    release();
    await expect.poll(() => asked).toBeGreaterThan(1);
    await page.unrouteAll({ behavior: 'ignoreErrors' });
  });

  it('shows no mean for a slot that has completed nothing', async () => {
    const made = await makeRunningStore();
    await sayFirstSample(made);
    const of = { slice_id: 0, slice_filename: slice(1), tf_filename: tf(1), attempt: 1 };
    await made.say('slice', { ...of, stf_filename: stf(1), start: 0, end: 0, tf_count: 1 });
    await made.say('slice_started', { ...of, worker_id: 'w/01', hostname: 'host' });
    const { url } = await startHttp({ folder: dirname(made.path) });
    const page = await browser.open(`${url.replace(/mcp$/, '')}#/stf_datataking-tester-0001`);
    const cells = page.getByRole('region', { name: 'Slots' }).locator('tbody td');
    await cells.first().waitFor();
    const [slot, done, failed, mean] = await cells.allInnerTexts();
    expect({ slot, done, failed, mean }).toEqual({ slot: 'w/01', done: '0', failed: '0', mean: '' });
  });

  it('shows why there are no charts if the server refuses them', async () => {
    const folder = temporaryFolder();
    await runCli(['run', '--speed', 'max', '--stf-count', '1', '--json'], { folder });
    const { url } = await startHttp({ folder });
    const page = await browser.open(url.replace(/mcp$/, ''));
    await page.route('**/mcp', async (route) => {
      if (!(route.request().postData() ?? '').includes('get_execution_timeline')) return route.continue();
      const content = [{ type: 'text', text: 'STORE_BUSY: another program has the store' }];
      return route.fulfill({ json: { jsonrpc: '2.0', id: 1, result: { isError: true, content } } });
    });
    await page.getByRole('link', { name: 'stf_datataking-tester-0001' }).click();
    await page.getByText('STORE_BUSY: another program has the store').waitFor();
    await page.unrouteAll({ behavior: 'ignoreErrors' });
  });

  it('asks for the token if the server requires one, and removes it from the address', async () => {
    const folder = temporaryFolder();
    await runCli(['run', '--speed', 'max', '--stf-count', '1', '--json'], { folder });
    const token = 'secret+of/the=shift';
    const { url } = await startHttp({ folder, env: { SWF_MCP_TOKEN: token } });
    const root = url.replace(/mcp$/, '');
    const page = await browser.open(root, { mayComplain: true });
    await page.getByLabel('This server requires a token').fill('wrong');
    await page.getByRole('button', { name: 'continue' }).click();
    await page.getByText('That token is wrong.').waitFor();
    await page.getByLabel('This server requires a token').fill(token);
    await page.getByRole('button', { name: 'continue' }).click();
    await page.getByRole('link', { name: 'stf_datataking-tester-0001' }).waitFor();
    const other = await browser.open(`${root}#token=${token}`);
    await other.getByRole('link', { name: 'stf_datataking-tester-0001' }).waitFor();
    expect(other.url()).toBe(`${root}#/`);
  });
});
