import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import * as sdk1 from '@modelcontextprotocol/sdk/client/index.js';
import * as sdk1Stdio from '@modelcontextprotocol/sdk/client/stdio.js';
import * as sdk1Http from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { describe, expect, it, onTestFinished } from 'vitest';

import { noteTools, tools } from '../src/tools/index.ts';
import { cliPath, runWorkflow, startHttp, startProcess, temporaryFolder } from './helpers.ts';

/** Third-party clients, in their own folder. */
const clients = resolve('test/clients/node_modules');
const missing = !existsSync(clients);
if (missing) console.log('clients that are not ours are not tried: npm ci --prefix test/clients --ignore-scripts');
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

/** A server on stdio also offers the tools that write to the logbook; over HTTP these need a token. */
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
      expect(prompt.stdout).toMatch(/Why did execution latest, or any of its slices, fail/);
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

/** The official clients: how each negotiates the revision, and the one that it comes to. */
const negotiations = {
  '1.x': ['1.x', '2025-11-25'],
  '2.x, with the handshake': ['2.x', '2025-11-25', 'legacy'],
  '2.x, by looking first': ['2.x', '2026-07-28', 'auto'],
  '2.x, pinned to 2026-07-28': ['2.x', '2026-07-28', { pin: '2026-07-28' }],
} as const;

/** A connected client, whose types differ between the SDKs. */
async function connectedBy(
  [sdk, , mode]: readonly [sdk: string, revision: string, mode?: unknown],
  target: { command: string; args: string[] } | URL,
): Promise<any> {
  const client = '@modelcontextprotocol/client/dist';
  const { Client, StdioClientTransport, StreamableHTTPClientTransport } =
    sdk === '1.x'
      ? { ...sdk1, ...sdk1Stdio, ...sdk1Http }
      : { ...(await load(`${client}/index.mjs`)), ...(await load(`${client}/stdio.mjs`)) };
  const connected = new Client({ name: 'test', version: '0' }, { versionNegotiation: { mode } });
  await connected.connect(
    target instanceof URL ? new StreamableHTTPClientTransport(target) : new StdioClientTransport(target),
  );
  onTestFinished(() => connected.close());
  return connected;
}

/** The answers to one of each kind of request, without what only 2026-07-28 adds and the moment of asking. Clients order the keys as they like. */
async function answersTo(client: any): Promise<Record<string, unknown>> {
  const call = (name: string, args: object): Promise<unknown> => client.callTool({ name, arguments: args });
  const answers: Record<string, unknown> = {
    resources: await client.listResources(),
    templates: await client.listResourceTemplates(),
    prompts: await client.listPrompts(),
    prompt: await client.getPrompt({ name: 'why_failed', arguments: { execution_id: 'x' } }),
    report: await client.readResource({ uri: 'swf://executions/latest/report' }),
    'no resource': await client
      .readResource({ uri: 'swf://nothing' })
      .catch(({ code }: { code: number }) => ({ code })),
    completion: await client.complete({
      ref: { type: 'ref/prompt', name: 'why_failed' },
      argument: { name: 'execution_id', value: '' },
    }),
    monitor: await call('get_workflow_monitor', { execution_id: 'latest' }),
    slices: await call('list_tf_slices', { limit: 3 }),
    refused: await call('list_tf_slices', { limit: 'x' }),
    unknown: await call('no_such_tool', {}),
  };
  return Object.fromEntries(
    Object.entries(answers).map(([what, answer]) => {
      const { _meta: _, resultType: __, ttlMs: ___, cacheScope: ____, ...plain } = answer as Record<string, unknown>;
      const text = JSON.stringify(plain).replaceAll(/(as_of_exact\W+)[\dT:.-]+Z/g, '$1');
      return [what, JSON.parse(text) as unknown];
    }),
  );
}

describe.skipIf(skipped)('an official client', () => {
  it('gets the same answers with any SDK, revision and transport', async () => {
    const folder = await finished();
    const [command = '', ...args] = onStdio(folder);
    const targets = { stdio: { command, args }, http: new URL((await startHttp({ folder })).url) };
    let first: Record<string, unknown> | undefined;
    for (const [transport, target] of Object.entries(targets)) {
      let listed: unknown;
      for (const [name, negotiation] of Object.entries(negotiations)) {
        const client = await connectedBy(negotiation, target);
        const what = `${name} over ${transport}`;
        const revision =
          negotiation[0] === '1.x' ? client.transport.protocolVersion : client.getNegotiatedProtocolVersion();
        if (revision !== undefined) expect(revision, what).toBe(negotiation[1]);
        const { tools: found } = await client.listTools();
        listed ??= found;
        expect(found, what).toEqual(listed);
        const answers = await answersTo(client);
        first ??= answers;
        expect(answers, what).toEqual(first);
      }
    }
  });
});
