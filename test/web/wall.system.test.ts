import { describe, expect, it } from 'vitest';

import { runCli, startCli, startHttp, temporaryFolder } from '../helpers.ts';
import { barriers, browserIsMissing, useBrowser } from './browser.ts';

describe.skipIf(browserIsMissing() !== undefined)('the wall', () => {
  const browser = useBrowser();

  it('shows running executions large, with their worst finding, and ended ones small', async () => {
    const own = temporaryFolder();
    await runCli(['run', '--speed', 'max', '--stf-count', '1'], { folder: own });
    const payload = 'worker.payload=["sh","-c","echo no luck >&2; exit 3"]';
    const run = startCli(['run', '--speed', '4', '--stf-count', '10', '--set', payload], { folder: own });
    await run.saw(/start_run/);
    const { url } = await startHttp({ folder: own });
    const page = await browser.open(`${url.replace(/mcp$/, '')}#/wall`);
    await page.setViewportSize({ width: 1920, height: 1080 });
    await page.locator('.wall .card .sentence', { hasText: /succeeded|failed/ }).waitFor();
    await expect.poll(() => page.title()).toMatch(/^! \w+ · 1 running · swf-mcp$/);
    const course = page.getByRole('img', { name: /^Slices done over time/ });
    await course.waitFor();
    expect(await page.locator('.wall .ended').textContent()).toContain('stf_datataking-tester-0001');
    // A line that wraps moves nothing.
    const places = (text?: string) =>
      page.evaluate((words) => {
        const sentence = document.querySelector('.wall .sentence');
        if (sentence !== null && words !== undefined) sentence.textContent = words;
        const all = [...document.querySelectorAll('.wall .card, .wall .bar, .wall .other, .wall .course')];
        return all.map((one) => Math.round(one.getBoundingClientRect().top));
      }, text);
    expect(await places('long '.repeat(60))).toEqual(await places('short'));
    const size = () =>
      page.evaluate(() => [
        document.documentElement.scrollHeight,
        innerHeight,
        document.documentElement.scrollWidth,
        innerWidth,
      ]);
    const [high = 0, room = 0] = await size();
    expect(high).toBeLessThanOrEqual(room);
    await page.setViewportSize({ width: 390, height: 844 });
    const [, , wide = 0, narrow = 0] = await size();
    expect(wide).toBeLessThanOrEqual(narrow);
    // A phone has no room for it, so it is not requested.
    await course.waitFor({ state: 'detached' });
    run.child.kill('SIGINT');
    await run.finished;
    // The execution that ran last stays on the screen.
    await page.getByText(/^Nothing is running\. This execution ended .* ago:$/).waitFor();
    await page.locator('.wall .card', { hasText: /-0002.*terminated.*failed/s }).waitFor();
    expect(await page.getByRole('button', { name: /^(times|colours|print)/ }).count()).toBe(0);
    await page.locator('.wall .clock', { hasText: /:\d\d UTC$/ }).waitFor();
    expect(await page.locator('.wall .ended').textContent()).not.toContain('-0002');
    expect(await barriers(page)).toEqual([]);
  });
});
