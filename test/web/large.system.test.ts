import { describe, expect, it } from 'vitest';

import { type Answer, ask, connectHttp, runWorkflow, startHttp, temporaryFolder } from '../helpers.ts';
import { browserIsMissing, countsOf, painted, useBrowser } from './browser.ts';

/** Nine times as many attempts as the page draws one by one; `npm run bench:page` takes a store of any size. */
const stfs = 2400;
const slots = 300;

describe.skipIf(browserIsMissing() !== undefined)(
  'the page for 36,000 slices on 300 slots',
  { timeout: 600_000 },
  () => {
    const browser = useBrowser();

    it('shows every count, a row for every slot, and attempts that can be clicked', async () => {
      const folder = temporaryFolder();
      const sets = ['data.write_files=false', `fast_processing.target_worker_count=${slots}`];
      await runWorkflow(folder, '--stf-count', String(stfs), ...sets.flatMap((pair) => ['--set', pair]));
      const { url } = await startHttp({ folder });
      const client = await connectHttp(url);
      const { execution_id: id, slices_completed } = await ask(client, 'get_workflow_monitor', {
        execution_id: 'latest',
      });
      expect(slices_completed).toBe(stfs * 15);
      const page = await browser.open(`${url.replace(/mcp$/, '')}#/${id as string}`, { height: 1200 });
      await page.locator('.header .legend').waitFor();
      expect(await countsOf(page)).toEqual({ completed: stfs * 15, failed: 0 });
      await painted(page);
      const work = page.getByRole('application', { name: `Workers over time, ${slots} slots.` });
      const rows = await page.evaluate((count) => {
        const canvas = document.querySelector('canvas');
        const { width = 0, height = 0 } = canvas ?? {};
        const { data } = canvas?.getContext('2d')?.getImageData(0, 0, width, height) ?? {
          data: new Uint8ClampedArray(),
        };
        const isPainted = (row: number): boolean => {
          const y = Math.floor(((row + 0.3) / count) * height);
          return data.subarray(y * width * 4, (y + 1) * width * 4).some((value, at) => at % 4 === 3 && value > 0);
        };
        return Array.from({ length: count }, (_, row) => isPainted(row)).filter(Boolean).length;
      }, slots);
      expect(rows).toBe(slots);
      // Too many to draw each: clicks zoom in until each attempt has its own bar.
      const heading = page.getByRole('heading', { name: 'Workers over time' });
      for (let click = 0; click < 6 && !(await heading.innerText()).includes('attempts'); click += 1) {
        const asked = page.waitForResponse((response) => response.request().postData()?.includes('timeline') === true);
        await work.click({ position: { x: 500, y: 300 } });
        await asked;
        await page.getByText('Loading this part').waitFor({ state: 'detached' });
      }
      await work.focus();
      await page.keyboard.press('ArrowRight');
      const reading = page.locator('.workers .reading');
      await expect.poll(() => reading.innerText()).toMatch(/^swf\./);
      const [slice = ''] = /swf\.\d+\.\d{6}_slice_\d{3}\.tf/.exec(await reading.innerText()) ?? [];
      expect(slice).not.toBe('');
      await page.keyboard.press('Enter');
      const dialog = page.getByRole('dialog');
      await dialog.getByText('slice_result').first().waitFor();
      const { items } = await ask(client, 'list_tf_slices', { execution_id: id, slice_filename: slice });
      const [{ assigned_worker = '' } = {}] = items as Answer[];
      expect(await dialog.innerText()).toContain(assigned_worker as string);
    });
  },
);
