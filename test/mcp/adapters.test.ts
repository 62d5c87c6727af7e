import { describe, expect, it } from 'vitest';

import { rpcCodes, type McpRequest, type McpServer, ProtocolFault, type Wire } from '../../src/mcp/mcp-server.ts';
import * as sdk1 from '../../src/mcp/sdk-1.ts';
import * as sdk2 from '../../src/mcp/sdk-2.ts';
import { initializeParams, request, stateless } from './messages.ts';

type Answer = (params: unknown, request: McpRequest) => Promise<Record<string, unknown>>;

/** A client of a server that answers calls of tools like this, and what the client receives. */
async function connected({ connect }: typeof sdk1 | typeof sdk2, answer: Answer) {
  const server: McpServer = {
    info: { name: 'test', title: 'test', version: '1' },
    capabilities: { tools: {} },
    instructions: '',
    methods: ['tools/call'],
    answer: (_, params, asked) => answer(params, asked),
  };
  const received: Record<string, any>[] = [];
  const faults: string[] = [];
  const looks = new Set<() => void>();
  const wire: Wire = {
    start: () => Promise.resolve(),
    close: () => Promise.resolve(),
    send(message) {
      received.push(message);
      for (const look of looks) look();
      return Promise.resolve();
    },
  };
  await connect(server, wire, ({ message }) => faults.push(message));
  const ask = (message: Record<string, any>): Promise<Record<string, any>> =>
    new Promise((resolve) => {
      looks.add(() => {
        const found = received.find(({ id }) => id === message['id']);
        if (found !== undefined) resolve(found);
      });
      wire.onmessage?.(message);
    });
  return { wire, received, faults, ask };
}

describe.each([
  ['SDK 1.x', sdk1, {}],
  ['SDK 2.x', sdk2, stateless],
] as const)('the adapter of %s', (_, sdk, params) => {
  const meta = '_meta' in params ? params._meta : {};
  const begin = async ({ ask }: Awaited<ReturnType<typeof connected>>): Promise<void> => {
    if (sdk === sdk1) await ask({ ...request('initialize', 0), params: initializeParams });
  };

  it('passes on the unchecked params of a call, and the name of the client', async () => {
    const given: unknown[] = [];
    const client = await connected(sdk, (...[asked, { clientName, progressToken }]) => {
      given.push(asked, clientName, progressToken);
      return Promise.resolve({ content: [] });
    });
    await begin(client);
    await client.ask({ ...request('tools/call', 1), params: { name: 7, arguments: 'x', ...params } });
    const [asked, ...rest] = given;
    expect(asked).toMatchObject({ name: 7, arguments: 'x' });
    expect(rest).toEqual(['test', undefined]);
  });

  it('does not check or copy the answer to a call', async () => {
    const client = await connected(sdk, () => Promise.resolve({ content: 'no list', own: [1] }));
    await begin(client);
    const { result } = await client.ask({ ...request('tools/call', 1), params: { name: 'x', ...params } });
    expect(result).toMatchObject({ content: 'no list', own: [1] });
  });

  it('sends progress to a client that asked for it', async () => {
    const client = await connected(sdk, async (asked, { progressToken, notify }) => {
      await notify('notifications/progress', { progressToken, progress: 1, message: 'half' });
      return { content: [] };
    });
    await begin(client);
    await client.ask({
      ...request('tools/call', 1),
      params: { name: 'x', ...params, _meta: { ...meta, progressToken: 'p' } },
    });
    expect(client.received.filter(({ method }) => method !== undefined)).toEqual([
      {
        jsonrpc: '2.0',
        method: 'notifications/progress',
        params: { progressToken: 'p', progress: 1, message: 'half' },
      },
    ]);
  });

  it('aborts a request that its client cancels, and does not answer it', async () => {
    let isAborted = false;
    const client = await connected(sdk, (asked, { signal }) => {
      if ((asked as { name: string }).name !== 'wait') return Promise.resolve({ content: [] });
      return new Promise((answer) => {
        signal.addEventListener('abort', () => {
          isAborted = true;
          answer({ content: [] });
        });
      });
    });
    await begin(client);
    client.wire.onmessage?.({ ...request('tools/call', 1), params: { name: 'wait', ...params } });
    await client.ask({ ...request('tools/call', 2), params: { name: 'x', ...params } });
    client.wire.onmessage?.({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1, ...params } });
    await client.ask({ ...request('tools/call', 3), params: { name: 'x', ...params } });
    expect([isAborted, client.received.filter(({ id }) => id === 1)]).toEqual([true, []]);
  });

  it('reports a fault with only its code and its text', async () => {
    const client = await connected(sdk, () => Promise.reject(new ProtocolFault(rpcCodes.invalidParams, 'our words')));
    await begin(client);
    const { error } = await client.ask({ ...request('tools/call', 1), params: { name: 'x', ...params } });
    expect(error).toEqual({ code: -32_602, message: 'our words' });
  });

  it('reports messages that it cannot understand', async () => {
    const client = await connected(sdk, () => Promise.resolve({}));
    await begin(client);
    await client.ask({ ...request('tools/call', 1), params: { name: 'x', ...params } });
    client.wire.onmessage?.({ jsonrpc: '2.0', id: 99, result: {} });
    await client.ask({ ...request('tools/call', 2), params: { name: 'x', ...params } });
    expect(client.faults).toEqual([expect.stringContaining('unknown message ID')]);
  });
});
