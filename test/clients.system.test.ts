import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { describe, expect, it, onTestFinished } from 'vitest';

import { openReader } from '../src/db/opening/open-reader.ts';
import { createQueries } from '../src/db/queries.ts';
import { createApp } from '../src/http/app.ts';
import { createMetrics } from '../src/http/metrics.ts';
import { isAlive } from '../src/lib/process-identity.ts';
import { createServer } from '../src/server.ts';
import { noteTools, tools } from '../src/tools/index.ts';
import { withFixtures } from './conformance-fixtures.ts';
import { cliPath, runWorkflow, startHttp, startProcess, temporaryFolder } from './helpers.ts';

/** Third-party clients, in their own folder: `npm ci --prefix test/clients`. */
const clients = resolve('test/clients/node_modules');
const missing = !existsSync(clients);
if (missing)
  console.log('clients that are not ours and the conformance suite are not tried: npm ci --prefix test/clients');
const skipped = missing && process.env['CI'] !== 'true';

/** Loads a package of theirs; its types are not ours. */
const load = async (path: string): Promise<any> => import(pathToFileURL(join(clients, path)).href);

const binary = (name: string): string => join(clients, '.bin', name);

const onStdio = (folder: string): string[] => [process.execPath, cliPath, '--db', join(folder, 'swf.db')];

async function finished(): Promise<string> {
  const folder = temporaryFolder();
  await runWorkflow(folder, '--stf-count', '2');
  return folder;
}

/** A server on stdio also offers the tools that write into the logbook; over HTTP these need a token. */
const offered = { stdio: tools.length + noteTools.length, http: tools.length };

describe.skipIf(skipped)('a third-party client', () => {
  const answer = { status: 'completed', slices_completed: 30 };

  it.each(['stdio', 'http'] as const)(
    'the inspector accepts every schema over %s, calls a tool, and reads a resource and a prompt',
    async (transport) => {
      const folder = await finished();
      const target =
        transport === 'stdio' ? onStdio(folder) : [(await startHttp({ folder })).url, '--transport', 'http'];
      const inspect = (...args: string[]) =>
        startProcess(binary('mcp-inspector'), ['--cli', ...target, ...args], { folder }).finished;
      const listed = await inspect('--strict', '--method', 'tools/list');
      expect(listed).toMatchObject({ code: 0 });
      expect(listed.stderr).not.toMatch(/warn/i);
      expect((JSON.parse(listed.stdout) as { tools: unknown[] }).tools).toHaveLength(offered[transport]);
      const called = await inspect(
        '--method',
        'tools/call',
        '--tool-name',
        'get_workflow_monitor',
        '--tool-arg',
        'execution_id=latest',
      );
      expect(JSON.parse(called.stdout)).toMatchObject({ structuredContent: answer });
      const report = await inspect('--method', 'resources/read', '--uri', 'swf://executions/latest/report');
      expect(report.stdout).toMatch(/stf_datataking-tester-0001, run 100010/);
      const page = await inspect(
        '--app-info',
        '--advertise-apps',
        '--method',
        'tools/call',
        '--tool-name',
        'get_workflow_monitor',
        '--tool-arg',
        'execution_id=latest',
      );
      expect(page.stdout).toMatch(/"hasApp": ?true[^]*"resourceUri": ?"ui:\/\/swf\/monitor"/);
      const prompt = await inspect('--method', 'prompts/get', '--prompt-name', 'why_failed');
      expect(prompt.stdout).toMatch(/Why did execution latest fail/);
    },
  );

  it.each(['stdio', 'http'] as const)('@ai-sdk/mcp calls a tool over %s', async (transport) => {
    const folder = await finished();
    const { createMCPClient } = await load('@ai-sdk/mcp/dist/index.js');
    const [command, ...args] = onStdio(folder);
    const { Experimental_StdioMCPTransport: Stdio } = await load('@ai-sdk/mcp/dist/mcp-stdio/index.js');
    const client = await createMCPClient({
      transport:
        transport === 'stdio' ? new Stdio({ command, args }) : { type: 'http', url: (await startHttp({ folder })).url },
    });
    onTestFinished(() => client.close());
    const found = await client.tools();
    expect(Object.keys(found)).toHaveLength(offered[transport]);
    const result = await found['get_workflow_monitor'].execute(
      { execution_id: 'latest' },
      { messages: [], toolCallId: '1' },
    );
    expect(result).toMatchObject({ structuredContent: answer });
  });

  it.each(['stdio', 'http'] as const)('@langchain/mcp-adapters calls a tool over %s', async (transport) => {
    const folder = await finished();
    const { MultiServerMCPClient } = await load('@langchain/mcp-adapters/dist/index.js');
    const [command, ...args] = onStdio(folder);
    const client = new MultiServerMCPClient({
      mcpServers: {
        swf:
          transport === 'stdio'
            ? { transport, command, args }
            : { transport: 'http', url: (await startHttp({ folder })).url },
      },
    });
    onTestFinished(() => client.close());
    const found = (await client.getTools()) as { name: string; invoke: (args: object) => Promise<unknown> }[];
    expect(found).toHaveLength(offered[transport]);
    const monitor = found.find(({ name }) => name.endsWith('get_workflow_monitor'));
    expect(JSON.stringify(await monitor?.invoke({ execution_id: 'latest' }))).toMatch(/slices_completed\W+30/);
  });
});

/** Runs the conformance suite. Returns the scenarios that fail. */
async function failuresAt(url: string): Promise<string[]> {
  const { stdout } = await startProcess(binary('conformance'), ['server', '--url', url], { folder: temporaryFolder() })
    .finished;
  const lines = [...stdout.matchAll(/^([✓✗]) (\S+): \d+ passed, (\d+) failed/gm)];
  expect(lines.length).toBeGreaterThanOrEqual(30);
  return lines.filter(([, mark]) => mark === '✗').map(([, , scenario = '']) => scenario);
}

/** Scenarios that need a session: they ask something of the client in the middle of a call. */
const notOffered = [
  'elicitation-sep1034-defaults',
  'elicitation-sep1330-enums',
  'tools-call-elicitation',
  'tools-call-sampling',
];

/** Scenarios that need the suite's own tools, resources and prompts. */
const needFixtures = [
  'logging-set-level',
  'prompts-get-embedded-resource',
  'prompts-get-simple',
  'prompts-get-with-args',
  'prompts-get-with-image',
  'resources-read-binary',
  'resources-read-text',
  'resources-subscribe',
  'resources-templates-read',
  'resources-unsubscribe',
  'tools-call-audio',
  'tools-call-embedded-resource',
  'tools-call-image',
  'tools-call-mixed-content',
  'tools-call-with-logging',
  'tools-call-with-progress',
];

describe.skipIf(skipped)("the protocol's conformance suite", () => {
  it('passes on the real server, except scenarios that need fixtures or sessions', async () => {
    const { url } = await startHttp({ folder: await finished() });
    expect((await failuresAt(url)).toSorted()).toEqual([...needFixtures, ...notOffered].toSorted());
  });

  it('passes on our server with its fixtures, except scenarios that need a session', async () => {
    const folder = await finished();
    const db = openReader(join(folder, 'swf.db'));
    const queries = createQueries(db, isAlive);
    const log = { write: () => {} };
    const app = createApp({
      createServer: () =>
        withFixtures(
          createServer({
            version: '0',
            tools,
            queries: () => queries,
            held: (ask) => ask(queries),
            past: () => Promise.reject(new Error('none')),
            monitorPage: () => Promise.resolve(''),
            services: () => Promise.reject(new Error('none')),
            log,
          }),
        ),
      queries: () => queries,
      pageFolder: 'dist/web',
      metrics: createMetrics('0'),
      markSeen: undefined,
      tokens: [],
      behindProxy: false,
      anyHost: false,
      log,
    });
    const server: HttpServer = createHttpServer(app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
      db.close();
    });
    const { port } = server.address() as AddressInfo;
    expect((await failuresAt(`http://127.0.0.1:${port}/mcp`)).toSorted()).toEqual(notOffered);
  });
});
