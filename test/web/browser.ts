import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';

const executable = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** Why tests in a browser cannot run here, or undefined. In CI a missing browser is a failure. */
export function browserIsMissing(): string | undefined {
  if (existsSync(executable) || process.env['CI'] === 'true') return undefined;
  const why = 'tests in a browser are skipped: install the Debian package chromium, or set CHROMIUM, to enable them';
  console.log(why);
  return why;
}

interface PageOptions {
  width?: number;
  height?: number;
  theme?: 'light' | 'dark';
  /** Whether a console message may come: of a server that is away, or asks for a token. */
  mayComplain?: boolean;
  /** What to prepare before the page loads. */
  before?: (page: Page) => Promise<void>;
}

/** An element that a browser saw move. */
export interface Moved {
  node: Element | null;
  previousRect: DOMRect;
  currentRect: DOMRect;
}

/** A browser for the tests of a file. */
export function useBrowser() {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: executable, args: ['--no-sandbox'] });
  });
  afterAll(async () => browser?.close());
  return {
    /**
     * Opens a page, which must ask nobody but the server that it came from, must run no text as a program, and must have nothing to
     * complain of: the browser tells each offence against the page's policy on the console.
     */
    async open(
      url: string,
      { width = 1280, height = 900, theme = 'light', mayComplain = false, before }: PageOptions = {},
    ): Promise<Page> {
      const page = await browser.newPage({ viewport: { width, height }, colorScheme: theme, serviceWorkers: 'block' });
      // A busy machine draws late; a test that hangs ends at its own deadline.
      page.setDefaultTimeout(90_000);
      const complaints: string[] = [];
      page.on('console', (message) => {
        // The tests read pixels again and again; the page itself reads none.
        const isOfTests = /getImageData|ERR_NETWORK_CHANGED/.test(message.text());
        if (!mayComplain && message.type() !== 'debug' && !isOfTests)
          complaints.push(`${message.type()}: ${message.text()}`);
      });
      page.on('pageerror', ({ message }) => complaints.push(`error: ${message}`));
      page.on('dialog', (dialog) => {
        complaints.push(`dialog: ${dialog.message()}`);
        void dialog.dismiss();
      });
      // Tests beside these make their own networks, and the browser then gives up what it is loading.
      page.on('requestfailed', (request) => {
        const isInterrupted = request.failure()?.errorText === 'net::ERR_NETWORK_CHANGED';
        if (isInterrupted && request.resourceType() === 'script') page.reload().catch(() => {});
      });
      const { origin, protocol } = new URL(url);
      page.on('request', (request) => {
        const ours = protocol === 'file:' ? request.url() === url.split('#')[0] : request.url().startsWith(origin);
        if (!ours && !request.url().startsWith('data:')) complaints.push(`request to ${request.url()}`);
      });
      onTestFinished(async () => {
        await page.close();
        expect(complaints).toEqual([]);
      });
      await before?.(page);
      await page.goto(url);
      return page;
    },
  };
}

/** The numbers of the header: slices by state. */
export async function countsOf(page: Page): Promise<Record<string, number>> {
  const keys = await page.locator('.header .legend .key').allInnerTexts();
  return Object.fromEntries(
    keys.map((text) => {
      const [, number = '', state = ''] = /([\d,]+)\s+(\w+)$/.exec(text) ?? [];
      return [state, Number(number.replaceAll(',', ''))];
    }),
  );
}

/** Waits until the chart of the workers has been painted. */
export async function painted(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    // It is drawn only if it is in view.
    const heading = [...document.querySelectorAll('h2')].find((one) => one.innerText.startsWith('Workers'));
    heading?.scrollIntoView();
    // Its rows have their place before the attempts come.
    if (heading?.innerText.endsWith('loading') !== false) return false;
    const canvas = document.querySelector('canvas');
    const { data } = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] };
    return data.some((value, at) => at % 4 === 3 && value > 0);
  });
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Accessibility barriers found by axe; `rule: elements`. */
export async function barriers(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  return page.evaluate(async () => {
    const tags = ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'];
    // The script that has just been added to the page.
    const { axe } = globalThis as unknown as { axe: typeof import('axe-core') };
    const { violations } = await axe.run({ runOnly: tags });
    return violations.map(
      ({ id, nodes }) =>
        `${id}: ${nodes.map(({ target, failureSummary }) => `${target.join(' ')} ${failureSummary}`).join('; ')}`,
    );
  });
}
