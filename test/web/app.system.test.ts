import { existsSync } from 'node:fs';

import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { build } from 'esbuild';
import type { FrameLocator, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';

import { ask, connectStdio, temporaryFolder } from '../helpers.ts';
import { browserIsMissing, useBrowser } from './browser.ts';
import { hostileRun } from './hostile-run.ts';

const hasHost = existsSync('test/clients/node_modules/@modelcontextprotocol/ext-apps') || process.env['CI'] === 'true';
if (!hasHost)
  console.log('the page within a chat is not tried: "npm ci --prefix test/clients --ignore-scripts" enables it');

const uri = 'ui://swf/monitor';

interface Seen {
  initialized: boolean;
  heights: number[];
  messages: { role: string; content: { text: string }[] }[];
  calls: number;
}

describe('the page for a chat', () => {
  it('is linked from its tools, and is one file of at most 105 kB without external resources', async () => {
    const client = await connectStdio({ folder: temporaryFolder() });
    const { tools } = await client.listTools();
    const linked = tools.filter(
      ({ _meta }) => (_meta?.['ui'] as { resourceUri: string } | undefined)?.resourceUri === uri,
    );
    expect(linked.map(({ name }) => name).toSorted()).toEqual(['get_execution_timeline', 'get_workflow_monitor']);
    expect(linked.every(({ _meta }) => _meta?.['ui/resourceUri'] === uri)).toBe(true);
    // The page exists even without a store.
    expect((await client.listResources()).resources.map((one) => one.uri)).toEqual([uri]);
    const [page] = (await client.readResource({ uri })).contents as { mimeType: string; text: string }[];
    expect(page?.mimeType).toBe('text/html;profile=mcp-app');
    expect(Buffer.byteLength(page?.text ?? '')).toBeLessThanOrEqual(105_000);
    expect(page?.text).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    expect(client.getServerCapabilities()).toMatchObject({ extensions: { 'io.modelcontextprotocol/ui': {} } });
  });

  describe.skipIf(!hasHost || browserIsMissing() !== undefined)('in a host', () => {
    const browser = useBrowser();

    /** The packages of hosts of each version. */
    const packages = { '1.x': 'ext-apps-1', '2.x': '@modelcontextprotocol/ext-apps' };

    /** A chat of this width whose page shows an execution, unless the id is empty. */
    async function hosted(
      execution: string,
      client: Client,
      width: number,
      version: keyof typeof packages = '2.x',
    ): Promise<{ page: Page; frame: FrameLocator }> {
      const [resource] = (await client.readResource({ uri })).contents as { text: string }[];
      const { outputFiles } = await build({
        entryPoints: ['test/web/app-host.js'],
        bundle: true,
        write: false,
        format: 'iife',
        nodePaths: ['test/clients/node_modules'],
        alias: { 'ext-apps': packages[version] },
      });
      const page = await browser.open('about:blank', { width });
      await page.exposeFunction('callTool', (params: { name: string; arguments: Record<string, unknown> }) =>
        client.callTool(params),
      );
      await page.evaluate(outputFiles[0]?.text ?? '');
      await page.evaluate(
        ([html, id]) =>
          (globalThis as unknown as { hostPage: (...args: string[]) => Promise<void> }).hostPage(html, id),
        [resource?.text ?? '', execution] as const,
      );
      return { page, frame: page.frameLocator('iframe') };
    }

    it.each(['1.x', '2.x'] as const)(
      'of version %s shows the execution of the call in at most 700 pixels, sends a question to the chat, and ends on request',
      async (version) => {
        const folder = temporaryFolder();
        const id = await hostileRun(folder);
        const client = await connectStdio({ folder });
        const { page, frame } = await hosted(id, client, 760, version);
        await frame.getByRole('heading', { level: 1, name: id }).waitFor();
        await frame.getByRole('img', { name: /^Backlog:/ }).waitFor();
        const monitor = await ask(client, 'get_workflow_monitor', { execution_id: id });
        const words = await frame.locator('.header .legend').innerText();
        expect(words).toContain(`${monitor['slices_completed']} completed`);
        expect(words).toContain(`${monitor['slices_failed']} failed`);
        const seen = (): Promise<Seen> => page.evaluate(() => (globalThis as unknown as { seen: Seen }).seen);
        await page.waitForFunction(() => ((globalThis as unknown as { seen: Seen }).seen.heights.at(-1) ?? 0) > 300);
        const { heights } = await seen();
        expect(Math.max(...heights)).toBeLessThanOrEqual(700);
        await frame.getByRole('button', { name: 'ask the assistant' }).first().click();
        await page.waitForFunction(() => (globalThis as unknown as { seen: Seen }).seen.messages.length > 0);
        const { messages } = await seen();
        expect(messages[0]?.content[0]?.text).toContain(`list_tf_slices({"execution_id":"${id}","status":"failed"`);
        // Text of logs is never sent to the chat.
        expect(messages[0]?.content[0]?.text).not.toContain('geometry');
        await page.evaluate(() => (globalThis as unknown as { teardown: () => Promise<void> }).teardown());
        await frame.getByText('This view is closed.').waitFor();
      },
    );

    it('fits into a narrow chat, and opens a slice', async () => {
      const folder = temporaryFolder();
      const id = await hostileRun(folder);
      const { frame } = await hosted(id, await connectStdio({ folder }), 400);
      await frame.getByText('no calibration').waitFor();
      const overflow = (): Promise<number> => frame.locator('body').evaluate((body) => body.scrollHeight - innerHeight);
      await expect.poll(overflow).toBeLessThanOrEqual(0);
      await frame.getByRole('button', { name: 'expand' }).click();
      await frame.getByRole('button', { name: 'swf.100010.000001_slice_003.tf' }).first().click();
      await frame.getByRole('dialog').getByText('exit code 4').first().waitFor();
    });

    it('shows the error of a refused call', async () => {
      const { page, frame } = await hosted('', await connectStdio({ folder: temporaryFolder() }), 760);
      await frame.getByText('Waiting for an execution').waitFor();
      await page.evaluate(() =>
        (globalThis as unknown as { refuse: (text: string) => Promise<void> }).refuse(
          'EXECUTION_NOT_FOUND: there is none',
        ),
      );
      await frame.getByText('EXECUTION_NOT_FOUND: there is none').waitFor();
    });
  });
});
