import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { startHttp, temporaryFolder } from '../helpers.ts';
import { browserIsMissing, useBrowser } from './browser.ts';
import { hostileRun } from './hostile-run.ts';

/** The rows of a table in src/web/README.md, by the head of its first column. */
function rowsOf(head: string): string[][] {
  const [, table = ''] = readFileSync('src/web/README.md', 'utf8').split(
    new RegExp(`^\\| ${head} .*\\n\\|[- |]+\\n`, 'm'),
  );
  return table
    .slice(0, table.indexOf('\n\n'))
    .split('\n')
    .map((row) =>
      row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
}

describe.skipIf(browserIsMissing() !== undefined)('the design', () => {
  const browser = useBrowser();

  it('uses the colours and sizes in src/web/README.md, in the light and the dark theme', async () => {
    const folder = temporaryFolder();
    const id = await hostileRun(folder);
    const { url } = await startHttp({ folder });
    const roles = rowsOf('role');
    const sizes = rowsOf('text');
    expect([roles.length > 20, sizes.length]).toEqual([true, 4]);
    for (const [theme, column] of [
      ['light', 1],
      ['dark', 2],
    ] as const) {
      const page = await browser.open(`${url.replace(/mcp$/, '')}#/${id}`, { theme });
      await page.locator('.figure .value').first().waitFor();
      const drawn = await page.evaluate(
        ([names, selectors]) => ({
          colours: names.map((name) => {
            document.body.style.color = `var(${name})`;
            const parts = getComputedStyle(document.body).color.match(/\d+/g) ?? [];
            return `#${parts.map((part) => Number(part).toString(16).padStart(2, '0')).join('')}`;
          }),
          used: [...document.styleSheets].flatMap((sheet) =>
            [...sheet.cssRules].flatMap((rule) => rule.cssText.match(/var\(--[\w-]+/g) ?? []),
          ),
          sizes: selectors.map((selector) => {
            const element = document.querySelector(selector);
            return element === null ? '' : getComputedStyle(element).fontSize;
          }),
          rem: Number.parseFloat(getComputedStyle(document.documentElement).fontSize),
        }),
        [roles.map(([name = '']) => name), sizes.map(([selector = '']) => selector)] as const,
      );
      expect(drawn.colours).toEqual(roles.map((row) => row[column]));
      expect(drawn.sizes).toEqual(sizes.map(([, size = '']) => `${Number.parseFloat(size) * drawn.rem}px`));
      // A colour without a row has no role; the page sets a height while a part loads.
      const known = new Set([...roles.map(([name]) => `var(${name}`), 'var(--still']);
      expect([...new Set(drawn.used)].filter((name) => !known.has(name))).toEqual([]);
    }
  });
});
