import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { beforeAll, describe, expect, it } from 'vitest';

import { ask, connectInProcess, runCli, runWorkflow, temporaryFolder } from '../helpers.ts';
import { barriers, browserIsMissing, countsOf, painted, useBrowser } from './browser.ts';
import { hostile, hostileRun } from './hostile-run.ts';

const missing = browserIsMissing();

describe('a report', () => {
  let folder = '';
  let id = '';
  beforeAll(async () => {
    folder = temporaryFolder();
    id = await hostileRun(folder);
    const { code, stderr } = await runCli(['report', id, '--html', 'run.html'], { folder });
    expect({ code, stderr }).toEqual({ code: 0, stderr: `wrote ${join(folder, 'run.html')}: open it in a browser\n` });
  });

  it('has the same bytes each time, and replaces no file without --force', async () => {
    // Even if others have written to the store meanwhile.
    await runWorkflow(folder, '--stf-count', '1');
    await runCli(['report', id, '--html', 'again.html'], { folder });
    expect(readFileSync(join(folder, 'again.html')).equals(readFileSync(join(folder, 'run.html')))).toBe(true);
    const { code, stderr } = await runCli(['report', id, '--html', 'run.html'], { folder });
    expect(code).toBe(1);
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    symlinkSync('target', join(folder, 'link'));
    for (const kind of ['pipe', 'link'])
      expect(await runCli(['report', id, '--html', kind, '--force'], { folder })).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/is not a plain file, so it is not replaced/) as string,
      });
    const below = await runCli(['report', id, '--html', 'run.html/x.html'], { folder });
    expect(below).toMatchObject({ code: 1, stderr: expect.stringMatching(/^DATA_UNAVAILABLE: /) as string });
    expect((await runCli(['report', id, '--html', `${'n'.repeat(245)}.html`], { folder })).code).toBe(0);
    expect(readdirSync(folder).filter((name) => name.includes('part') || name === 'target')).toEqual([]);
    expect(stderr).toMatch(/run\.html already exists; give another file, or --force to overwrite it/);
  });

  it('made with --without-logs contains no log lines and no paths of slices', async () => {
    await runCli(['report', id, '--html', 'bare.html', '--without-logs'], { folder });
    const bare = readFileSync(join(folder, 'bare.html'), 'utf8');
    expect(bare).not.toContain('is queued again');
    expect(bare).not.toMatch(/"hops":\[\{/);
    expect(bare).not.toMatch(/"errors":\[\{|"output_tail":|"log_id":/);
    expect(readFileSync(join(folder, 'run.html'), 'utf8')).toContain('secret.root');
    expect(bare).not.toMatch(/secret\.root|"outputs(?:_folder)?":/);
    expect(bare).not.toContain(folder);
    expect(statSync(join(folder, 'bare.html')).mode & 0o777).toBe(0o600);
  });

  describe.skipIf(missing !== undefined)('opened from the disk', () => {
    const browser = useBrowser();

    it('shows the counts of the monitor, and hostile texts as text', async () => {
      const page = await browser.open(`file://${join(folder, 'run.html')}`);
      await painted(page);
      const monitor = await ask(await connectInProcess(join(folder, 'swf.db')), 'get_workflow_monitor', {
        execution_id: id,
      });
      expect(await countsOf(page)).toEqual({
        completed: monitor['slices_completed'],
        failed: monitor['slices_failed'],
      });
      await page.getByRole('button', { name: 'example' }).first().click();
      await page.getByRole('dialog').getByText('slice_result').first().waitFor();
      expect(await page.getByRole('dialog').innerText()).toContain(hostile);
      expect(await page.evaluate(() => document.images.length)).toBe(0);
      // Escape closes it from any focus.
      await page.locator('h1').click();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    });

    it('shows the path of a slice that did not fail', async () => {
      const page = await browser.open(`file://${join(folder, 'run.html')}#/${id}?slice=swf.100010.000001_slice_001.tf`);
      await page.getByRole('dialog').getByText('slice_started').waitFor();
      await page.getByRole('dialog').getByText('done', { exact: false }).first().waitFor();
    });

    it.each(['light', 'dark'] as const)('has no accessibility barriers in the %s theme', async (theme) => {
      const page = await browser.open(`file://${join(folder, 'run.html')}`, { theme });
      await painted(page);
      expect(await barriers(page)).toEqual([]);
    });
  });
});
