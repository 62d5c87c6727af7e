import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import type { Queries } from '../../src/db/queries.ts';
import { type AppOptions, createApp } from '../../src/http/app.ts';
import { createCallers } from '../../src/http/callers.ts';
import { callLimits } from '../../src/http/calls.ts';
import type { Client } from '../../src/http/mcp.ts';
import { createMetrics } from '../../src/http/metrics.ts';
import { NoStoreYet, SwfError } from '../../src/lib/errors.ts';
import type { McpServer } from '../../src/mcp/mcp-server.ts';
import { temporaryFolder } from '../folder.ts';
import { stateless } from '../mcp/messages.ts';
import { listening } from './listening.ts';

const tokens = [
  { token: 'secret-a', name: 'alice', scope: 'control' },
  { token: 'secret-r', name: 'reader', scope: 'read' },
  { token: 'secret-n', name: undefined, scope: 'note' },
] as const;

const execution = {
  execution_id: 'stf_datataking-tester-0001',
  workflow_name: 'stf_datataking',
  namespace: 'torre1',
  executed_by: 'tester',
  status: 'running',
  run_number: 101,
  start_time: '2026-01-01T00:00:00.000Z',
  end_time: null,
};

/** The questions to the list of executions. */
const asked: unknown[] = [];

/** A store of one execution. */
const oneExecution = {
  executions: (...question: unknown[]) => {
    asked.push(question);
    return { rows: [] };
  },
  storeId: () => 'store-1',
  dataAsOf: () => '2026-01-01T00:00:01.000Z',
  snapshot: (ask: () => unknown) => ask(),
  knownParams: () => undefined,
  execution: (id: string) => {
    if (id === 'broken') throw new SwfError('STORE_CORRUPT', 'the store is damaged');
    if (id === 'bug') throw new TypeError('no such thing');
    if (id === 'pruned') throw new SwfError('EXECUTION_REMOVED', 'pruned was removed');
    if (id === 'ended') return { ...execution, run_number: null, end_time: '2026-01-01T01:00:00.000Z' };
    if (id !== execution.execution_id) throw new SwfError('EXECUTION_NOT_FOUND', `there is no ${id}`);
    return execution;
  },
} as unknown as Queries;

/** A server whose one tool answers with the name of its client, `wait` when it is cancelled. */
const createServer = (client: Client): McpServer => ({
  info: { name: 'swf-mcp', title: 'test', version: '1' },
  capabilities: { tools: {} },
  instructions: '',
  methods: ['tools/call'],
  async answer(_, params, { signal }) {
    const { name } = params as { name: string };
    if (name === 'wait') await new Promise((resolve) => signal.addEventListener('abort', resolve));
    return { content: [{ type: 'text', text: `${name} of ${client.key}, ${client.scope}` }] };
  },
});

async function serve(more: Partial<AppOptions> = {}) {
  const logged: string[] = [];
  const pageFolder = temporaryFolder();
  mkdirSync(join(pageFolder, 'app'));
  for (const name of ['page.html', 'app.js', 'app.css', 'print.css', 'wall.css', 'app/wall-1.js'])
    writeFileSync(join(pageFolder, name), `content of ${name}`);
  const root = await listening(
    createApp({
      createServer,
      queries: () => oneExecution,
      metrics: createMetrics('1.2.3'),
      markSeen: undefined,
      tokens,
      anyHost: false,
      behindProxy: false,
      pageFolder,
      log: { write: ({ level, message }) => void logged.push(`${level} ${message}`) },
      ...more,
    }),
  );
  const ask = async (
    path: string,
    { headers = {}, ...init }: RequestInit & { headers?: Record<string, string> } = {},
  ) => {
    const response = await fetch(`${root}${path}`, { redirect: 'manual', ...init, headers });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text };
  };
  const post = (body: unknown, headers: Record<string, string> = by('secret-a')) =>
    ask('/mcp', {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { ...accepts, ...headers },
    });
  return { root, ask, post, logged };
}

const accepts = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' };
const by = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
const toolCall = (name: string, id: unknown = 1): object => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name },
});
const errorIn = (text: string): { code: number; message: string } =>
  (JSON.parse(text) as { error: { code: number; message: string } }).error;

/** A request with exactly these headers: `fetch` sets some itself. */
const raw = (url: string, headers: Record<string, string>): Promise<number> =>
  new Promise((resolve, reject) => {
    request(url, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });

describe('a caller', () => {
  it.each([
    ['Bearer secret-a', 'token alice, control'],
    ['bearer   secret-r ', 'token reader, read'],
    ['Bearer secret-n', 'from loopback, note'],
  ])('with %j is recognized', async (authorization, who) => {
    const { post } = await serve();
    expect((await post(toolCall('x'), { authorization })).text).toContain(`x of ${who}`);
  });

  it.each([
    [{}, 'no bearer token was given'],
    [by('wrong'), 'the bearer token is wrong'],
    [by('secret-'), 'the bearer token is wrong'],
    [{ authorization: 'Basic secret-a' }, 'no bearer token was given'],
    [{ authorization: 'Bearer secret-a and more' }, 'no bearer token was given'],
    [{ authorization: 'Basic Bearer secret-a' }, 'no bearer token was given'],
  ])('with %j is refused, and the error says what to send', async (headers, why) => {
    const { post } = await serve();
    const { status, text, headers: given } = await post(toolCall('x'), headers);
    expect([status, given.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect(errorIn(text)).toEqual({
      code: -32_001,
      message: `UNAUTHORIZED: ${why}; send "Authorization: Bearer …" with the token from SWF_MCP_TOKEN or from a line of SWF_MCP_TOKEN_FILE`,
    });
  });

  it('needs no token if the server has no tokens', async () => {
    const { post } = await serve({ tokens: [] });
    expect((await post(toolCall('x'), {})).text).toContain('x of from loopback, control');
  });

  it('is identified by the first entry with its token', () => {
    const find = createCallers([...tokens, { token: 'secret-a', name: 'mallory', scope: 'read' }]);
    expect(find('secret-a')).toEqual({ name: 'alice', scope: 'control' });
    expect(find('')).toBeUndefined();
  });
});

describe('a request that a foreign page may have sent', () => {
  it.each<[Record<string, string>, number]>([
    [{}, 200],
    [{ host: 'localhost' }, 200],
    [{ host: 'localhost:9' }, 200],
    [{ host: '[::1]:80' }, 200],
    [{ host: '127.1.2.3' }, 200],
    [{ host: '127.11.222.33' }, 200],
    [{ host: 'x127.0.0.1' }, 403],
    [{ host: '127.0.0.1.evil.example' }, 403],
    [{ host: 'evil.example' }, 403],
    [{ host: 'localhost.evil.example' }, 403],
    [{ host: 'a b' }, 403],
    [{ host: 'localhost', origin: 'http://localhost' }, 200],
    [{ host: 'localhost', origin: 'https://localhost' }, 403],
    [{ host: 'localhost', origin: 'http://localhost:9' }, 403],
    [{ host: 'localhost', origin: 'null' }, 403],
    [{ host: 'localhost', origin: 'not an address' }, 403],
  ])('with the headers %j gets status %i', async (headers, status) => {
    const { root } = await serve();
    expect(await raw(`${root}/healthz`, headers)).toBe(status);
  });

  it('may name any host if a token is required', async () => {
    const { root } = await serve({ anyHost: true });
    expect(await raw(`${root}/healthz`, { host: 'swf.example' })).toBe(200);
    expect(await raw(`${root}/healthz`, { host: 'swf.example', origin: 'http://evil.example' })).toBe(403);
  });

  it('is refused with a reason that is cut if it is long', async () => {
    const { ask } = await serve();
    const { text } = await ask('/healthz', { headers: { origin: `http://${'a'.repeat(300)}.example` } });
    expect(errorIn(text)).toEqual({
      code: -32_000,
      message: `UNAUTHORIZED: requests from the origin "http://${'a'.repeat(193)}" are not served`,
    });
  });

  it('gets its host and scheme from a proxy only if the server is behind one', async () => {
    const forwarded = {
      'x-forwarded-host': 'swf.example',
      'x-forwarded-proto': 'https',
      origin: 'https://swf.example',
    };
    const behind = await serve({ behindProxy: true, anyHost: true });
    expect((await behind.ask('/healthz', { headers: forwarded })).status).toBe(200);
    const direct = await serve({ anyHost: true });
    expect((await direct.ask('/healthz', { headers: forwarded })).status).toBe(403);
  });

  it.each([
    ['192.0.2.7', 'from 192.0.2.7'],
    ['::ffff:192.0.2.7', 'from 192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', 'from 2001:db8:1:2'],
    ['2001:db8::1:2:3:4', 'from 2001:db8:0:0'],
    ['2001:db8::7', 'from 2001:db8:0:0'],
    ['2001:db8:0:0:1::', 'from 2001:db8:0:0'],
    ['2001:db8:1::6:7:8', 'from 2001:db8:1:0'],
    ['2001:db8:1:0:5:6:7:8', 'from 2001:db8:1:0'],
    ['fd00::1:5054:ff:fe12:3456', 'from fd00:0:0:1'],
    ['fd00::2:5054:ff:fe12:3456', 'from fd00:0:0:2'],
    ['fe80::1%eth0', 'from fe80:0:0:0'],
    ['not-an-address', 'from not-an-address'],
    ['a::b:c:d:e:f:0:1:2:3', 'from a:b:c:d'],
    ['127.9.9.9', 'from loopback'],
    ['::1', 'from loopback'],
  ])("from %s is attributed to its client's network", async (address, who) => {
    const { post } = await serve({ tokens: [], behindProxy: true, anyHost: true });
    expect((await post(toolCall('x'), { 'x-forwarded-for': address })).text).toContain(`x of ${who},`);
  });
});

describe('every answer', () => {
  it('forbids clients to cache it or to guess its type', async () => {
    const { ask } = await serve();
    for (const path of ['/healthz', '/metrics', '/nothing']) {
      const { headers } = await ask(path);
      expect([
        headers.get('cache-control'),
        headers.get('x-content-type-options'),
        headers.get('x-powered-by'),
      ]).toEqual(['no-store', 'nosniff', null]);
    }
  });
});

describe('the health of a server', () => {
  it('is public, and reads only the newest execution', async () => {
    const { ask } = await serve();
    asked.length = 0;
    const { status, text } = await ask('/healthz');
    expect([status, JSON.parse(text)]).toEqual([
      200,
      { status: 'ok', store_id: 'store-1', data_as_of: '2026-01-01T00:00:01.000Z' },
    ]);
    expect(asked).toEqual([[{}, { order: 'newest', limit: 1, uncounted: true }]]);
  });

  it.each<[string, Error, number, object]>([
    ['does not exist yet', new NoStoreYet('/store'), 200, { status: 'ok', store: 'none yet' }],
    ['is damaged', new SwfError('STORE_CORRUPT', '/secret/path'), 503, { status: 'error', store: 'STORE_CORRUPT' }],
    ['fails', new Error('/secret/path'), 503, { status: 'error', store: 'cannot be read' }],
  ])('contains no paths if its store %s', async (_, error, wanted, body) => {
    const { ask } = await serve({
      queries: () => {
        throw error;
      },
    });
    const { status, text } = await ask('/healthz');
    expect([status, JSON.parse(text)]).toEqual([wanted, body]);
  });
});

describe('a route', () => {
  it.each([
    ['/mcp', 'POST'],
    ['/metrics', 'GET'],
    ['/workflow-executions/latest', 'GET'],
    ['/alarms/seen', 'POST'],
    ['/nothing', 'GET'],
  ])('like %s requires the token', async (path, method) => {
    const { ask } = await serve();
    expect((await ask(path, { method })).status).toBe(401);
  });

  it('that does not exist leads to an error that names the MCP path', async () => {
    const { ask } = await serve();
    const { status, text } = await ask(`/${'n'.repeat(300)}?token=secret`, { headers: by('secret-r') });
    expect([status, errorIn(text)]).toEqual([
      404,
      { code: -32_601, message: `there is nothing at /${'n'.repeat(199)}; MCP is at /mcp` },
    ]);
    expect((await ask('/.well-known/oauth-protected-resource')).status).toBe(404);
  });

  it('serves metrics, even without a store', async () => {
    const { ask } = await serve();
    const { text, headers } = await ask('/metrics', { headers: by('secret-r') });
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(text).toContain('swf_mcp_store_readable 1\n');
    const without = await serve({
      queries: () => {
        throw new Error('none');
      },
    });
    expect((await without.ask('/metrics', { headers: by('secret-r') })).text).toContain('swf_mcp_store_readable 0\n');
  });

  it('returns an execution by its id, and an error for an unknown id', async () => {
    const { ask, logged } = await serve();
    const of = async (id: string) => {
      const { status, text } = await ask(`/workflow-executions/${id}`, { headers: by('secret-r') });
      return [status, JSON.parse(text)] as const;
    };
    const { end_time: _, ...facts } = execution;
    expect(await of('stf_datataking-tester-0001')).toEqual([200, { ...facts, run_id: '101', parameter_values: {} }]);
    expect(await of('other')).toMatchObject([
      404,
      { error: { code: -32_602, message: 'EXECUTION_NOT_FOUND: there is no other' } },
    ]);
    const { run_number: __, ...unnumbered } = facts;
    expect(await of('ended')).toEqual([
      200,
      { ...unnumbered, end_time: '2026-01-01T01:00:00.000Z', parameter_values: {} },
    ]);
    expect(await of('pruned')).toMatchObject([404, { error: { message: 'EXECUTION_REMOVED: pruned was removed' } }]);
    expect(await of('broken')).toMatchObject([503, { error: { message: 'STORE_CORRUPT: the store is damaged' } }]);
    expect(logged).toEqual([]);
    expect(await of('bug')).toMatchObject([
      500,
      { error: { code: -32_603, message: "an internal error in swf-mcp; the server's log has the details" } },
    ]);
    expect(logged).toEqual([expect.stringMatching(/^ERROR bug in the HTTP server: TypeError: no such thing/)]);
    expect((await ask('/workflow-executions/%zz', { headers: by('secret-r') })).status).toBe(400);
  });
});

describe('the page', () => {
  it('is public, and is sent again only if it has changed', async () => {
    const { ask } = await serve();
    for (const [path, type] of [
      ['/', 'text/html; charset=utf-8'],
      ['/app.js', 'text/javascript; charset=utf-8'],
      ['/app.css', 'text/css; charset=utf-8'],
      ['/print.css', 'text/css; charset=utf-8'],
      ['/wall.css', 'text/css; charset=utf-8'],
      ['/app/wall-1.js', 'text/javascript; charset=utf-8'],
    ] as const) {
      const { status, headers, text } = await ask(path);
      expect([status, headers.get('content-type')]).toEqual([200, type]);
      expect(text).toBe(`content of ${path === '/' ? 'page.html' : path.slice(1)}`);
      expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; .*; trusted-types 'none'$/);
      expect(headers.get('cache-control')).toBe('no-cache');
      const again = await ask(path, { headers: { 'if-none-match': headers.get('etag') ?? '' } });
      expect([again.status, again.text]).toEqual([304, '']);
      expect((await ask(path, { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
    }
  });

  it.each([
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip, deflate', 'gzip'],
    ['identity', null],
  ])('is compressed for a client that accepts %s', async (accepted, encoding) => {
    const { ask } = await serve();
    const { headers, text } = await ask('/app.js', { headers: { 'accept-encoding': accepted } });
    expect([headers.get('content-encoding'), headers.get('vary')]).toEqual([encoding, 'Accept-Encoding']);
    expect(text).toBe('content of app.js');
  });

  it('does not include parts of other versions or other files', async () => {
    const { ask } = await serve();
    expect((await ask('/app/wall-0.js')).status).toBe(404);
    for (const path of ['/page.html', '/app/../app.js.map', '/app/.js', '/app/wall-1.js/x'])
      expect([401, 404]).toContain((await ask(path)).status);
  });
});

describe('an MCP message', () => {
  it.each([
    ['{bad', 400, -32_700, 'the body is not JSON'],
    ['7', 400, -32_600, 'the body is not a JSON-RPC message; send an object, or a list of them'],
    ['null', 400, -32_600, 'the body is not a JSON-RPC message; send an object, or a list of them'],
    ['[]', 400, -32_600, 'the body is not a JSON-RPC message; send an object, or a list of them'],
    [`"${'x'.repeat(4_200_000)}"`, 413, -32_600, 'the body is larger than 4194304 bytes'],
  ])('that is %.10s is refused', async (body, status, code, message) => {
    const { post } = await serve();
    const answer = await post(body);
    expect([answer.status, errorIn(answer.text)]).toEqual([status, { code, message }]);
  });

  it.each(['GET', 'DELETE', 'PUT'])('is accepted by POST, not by %s', async (method) => {
    const { ask } = await serve();
    const { status, headers, text } = await ask('/mcp', { method, headers: by('secret-r') });
    expect([status, headers.get('allow')]).toEqual([405, 'POST']);
    expect(errorIn(text)).toEqual({
      code: -32_000,
      message: 'this server keeps no sessions: send every request with POST',
    });
  });

  it('is answered, alone or in a batch of up to 100', async () => {
    const { post } = await serve();
    const many = Array.from({ length: 101 }, (_, id) => toolCall('x', id));
    const all = await post(many.slice(1));
    expect([all.status, all.text.match(/x of token alice/g)?.length]).toEqual([200, 100]);
    const refused = await post(many);
    expect([refused.status, errorIn(refused.text)]).toEqual([
      400,
      { code: -32_600, message: 'the batch has 101 messages; send at most 100 at once' },
    ]);
    expect((await post(many.slice(0, 1))).status).toBe(200);
  });

  it('is refused while its client has 200 calls under way, and accepted again once that client disconnects', async () => {
    const { root, post } = await serve();
    const stop = new AbortController();
    const waiting = [0, 1].map(() =>
      fetch(`${root}/mcp`, {
        method: 'POST',
        signal: stop.signal,
        headers: { ...accepts, ...by('secret-a') },
        body: JSON.stringify(Array.from({ length: 100 }, (_, id) => toolCall('wait', id))),
      }).then((response) => response.text()),
    );
    const allEnded = Promise.allSettled(waiting);
    await expect.poll(async () => (await post(toolCall('x'))).status).toBe(429);
    const refused = await post(toolCall('x'));
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(errorIn(refused.text).code).toBe(-32_000);
    expect(errorIn(refused.text).message).toBe(
      'too many calls are in progress: 201 calls from one client, at most 200 allowed; wait for an answer, then send the request again',
    );
    expect((await post(toolCall('x'), by('secret-r'))).status).toBe(200);
    stop.abort();
    expect((await allEnded).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect.poll(async () => (await post(toolCall('x'))).status).toBe(200);
  });

  it('ends with an error if its client cancels it', async () => {
    const { post } = await serve();
    const cancelled = (requestId: unknown): object => ({
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId },
    });
    const waiting = post(toolCall('wait', 'a'));
    let isOver = false;
    void waiting.then(() => (isOver = true));
    for (const [message, token] of [
      [cancelled('b'), 'secret-a'],
      [cancelled('a'), 'secret-r'],
      [{ ...cancelled('a'), method: 'notifications/other' }, 'secret-a'],
    ] as const)
      await post(message, by(token));
    expect(isOver).toBe(false);
    await expect
      .poll(async () => {
        await post(cancelled('a'));
        return isOver;
      })
      .toBe(true);
    expect((await waiting).text).toContain('"error":{"code":-32800,"message":"the call was cancelled by its client"}');
  });

  describe.each([
    ['up to revision 2025-11-25', {}, {}],
    [
      'of revision 2026-07-28',
      stateless,
      { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'wait' },
    ],
  ])('%s', (_, params, headers) => {
    /** A server whose calls wait until they are aborted, and how many were. */
    const serveWaits = async () => {
      const waits = { begun: 0, aborted: 0 };
      const served = await serve({
        createServer: (client) => ({
          ...createServer(client),
          async answer(__, ___, { signal }) {
            waits.begun += 1;
            await new Promise((resolve) => signal.addEventListener('abort', resolve));
            waits.aborted += 1;
            return { content: [] };
          },
        }),
      });
      return { ...served, waits };
    };
    const wait = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'wait', ...params } };

    it('is aborted when its client disconnects', async () => {
      const { root, waits } = await serveWaits();
      const leave = new AbortController();
      const left = fetch(`${root}/mcp`, {
        method: 'POST',
        signal: leave.signal,
        headers: { ...accepts, ...by('secret-a'), ...headers },
        body: JSON.stringify(wait),
      });
      const text = left.then((response) => response.text());
      await expect.poll(() => waits.begun).toBe(1);
      leave.abort();
      await expect(text).rejects.toThrow('aborted');
      await expect.poll(() => waits.aborted).toBe(1);
    });

    it('is aborted when its client cancels it', async () => {
      const { post, waits } = await serveWaits();
      const waiting = post(wait, { ...by('secret-a'), ...headers });
      await expect.poll(() => waits.begun).toBe(1);
      await post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } });
      await waiting;
      await expect.poll(() => waits.aborted).toBe(1);
    });
  });

  it('of revision 2026-07-28 is refused in a batch', async () => {
    const { post } = await serve();
    const { status, text } = await post([toolCall('x'), { ...toolCall('x', 2), params: { name: 'x', ...stateless } }]);
    expect([status, errorIn(text).code]).toEqual([400, -32_600]);
  });

  it('is not cancelled if two requests of one caller share its id', async () => {
    const { root, post } = await serve();
    const stop = new AbortController();
    let over = 0;
    for (let n = 0; n < 2; n += 1)
      void fetch(`${root}/mcp`, {
        method: 'POST',
        signal: stop.signal,
        headers: { ...accepts, ...by('secret-a') },
        body: JSON.stringify(toolCall('wait', 7)),
      })
        .then((response) => response.text())
        .then(() => (over += 1))
        .catch(() => {});
    await post(toolCall('x', 8));
    await post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7 } });
    await post(toolCall('x', 8));
    expect(over).toBe(0);
    stop.abort();
  });

  it('can be cancelled by a request with the same id, and leaves no call behind', async () => {
    const { post } = await serve();
    const odd = (id: number) =>
      post({ jsonrpc: '2.0', id, method: 'notifications/cancelled', params: { requestId: id } });
    let isOver = false;
    const waiting = post(toolCall('wait', 1)).then(() => (isOver = true));
    await post(toolCall('x'));
    expect(isOver).toBe(false);
    await odd(1);
    await waiting;
    // More than may be under way at a time.
    for (let n = 2; n < callLimits.ofOneClient + 5; n += 1) expect((await odd(n)).status).toBeLessThan(429);
    expect((await post(toolCall('x'))).status).toBe(200);
  });

  it('is cancelled only by an id of the same value and type, and in a batch only from within', async () => {
    const { post } = await serve();
    const takeBack = (requestId: unknown) =>
      post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } });
    const over: string[] = [];
    const begin = (name: string, message: unknown) =>
      post(message).then(
        () => over.push(name),
        // The batch is still under way when the test ends.
        () => 0,
      );
    const text = begin('text', toolCall('wait', '7'));
    const number = begin('number', toolCall('wait', 7));
    void begin('list', [toolCall('wait', 8), toolCall('wait', 9)]);
    await post(toolCall('x'));
    for (const id of [8, 9, 10, null, undefined]) await takeBack(id);
    await post({ jsonrpc: '2.0', method: 'notifications/cancelled' });
    await post(toolCall('x'));
    expect(over).toEqual([]);
    await takeBack('7');
    await text;
    expect(over).toEqual(['text']);
    await takeBack(7);
    await number;
    // Its id is free again.
    const again = begin('again', toolCall('wait', 7));
    await post(toolCall('x'));
    await takeBack(7);
    await again;
    expect(over).toEqual(['text', 'number', 'again']);
  });

  it('without an id gets no answer, and an invalid message is refused', async () => {
    const { post } = await serve();
    expect(await post({ jsonrpc: '2.0', method: 'notifications/initialized' })).toMatchObject({
      status: 202,
      text: '',
    });
    expect((await post([null, toolCall('x')])).status).toBe(400);
    expect((await post({ jsonrpc: '2.0' })).status).toBe(400);
  });

  it('in an unknown content encoding is refused', async () => {
    const { post } = await serve();
    const { status, text } = await post(toolCall('x'), { ...by('secret-a'), 'content-encoding': 'nonsense' });
    expect([status, errorIn(text)]).toEqual([
      415,
      { code: -32_600, message: 'unsupported content encoding "nonsense"' },
    ]);
  });

  it('gets no answer if its own batch cancels it', async () => {
    const { post } = await serve();
    const { text } = await post([
      toolCall('wait', 1),
      toolCall('x', 2),
      { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } },
    ]);
    expect(text.match(/"id":\d/g)).toEqual(['"id":2']);
  });

  it('gets a compressed answer with Save-Data, and otherwise one marked no-transform', async () => {
    const { post } = await serve();
    const saving = await post(toolCall('x'.repeat(2000)), {
      ...by('secret-a'),
      'save-data': 'on',
      'accept-encoding': 'gzip',
    });
    expect([saving.headers.get('content-encoding'), saving.headers.get('cache-control')]).toEqual(['gzip', 'no-store']);
    expect(saving.text).toContain('x'.repeat(2000));
    const usual = await post(toolCall('x'.repeat(2000)));
    expect([usual.headers.get('content-encoding'), usual.headers.get('cache-control')]).toEqual([
      null,
      'no-cache, no-transform',
    ]);
  });
});

describe('an alarm', () => {
  const seen: unknown[] = [];
  const markSeen: AppOptions['markSeen'] = (alarm, sent) => {
    if (alarm === 'none') return Promise.reject(new SwfError('ARGUMENT_INVALID', 'there is no alarm none'));
    if (alarm === 'busy') return Promise.reject(new SwfError('STORE_UNAVAILABLE', 'the store is locked'));
    if (alarm === 'bug') return Promise.reject(new TypeError('no such thing'));
    seen.push([alarm, sent]);
    return Promise.resolve({ alarm_id: alarm, seen_by: sent.author, is_over: false, is_new: true });
  };
  const post = async (body: unknown, token: string, more: Partial<AppOptions> = { markSeen }) => {
    const { ask } = await serve(more);
    const { status, text } = await ask('/alarms/seen', {
      method: 'POST',
      body: JSON.stringify(body),
      headers: by(token),
    });
    return [status, JSON.parse(text)] as const;
  };

  it('is refused with a note that is too long, and the limit is named', async () => {
    const [status, answer] = await post({ alarm_id: 'a', text: 'x'.repeat(40_000) }, 'secret-n');
    expect([status, answer]).toEqual([
      413,
      expect.objectContaining({ error: expect.objectContaining({ message: 'the body is larger than 32768 bytes' }) }),
    ]);
  });

  it('is marked as seen under the name of a token or of a person', async () => {
    expect(await post({ alarm_id: 'a', text: ' on it ' }, 'secret-a')).toEqual([
      200,
      { alarm_id: 'a', seen_by: 'alice', is_over: false, is_new: true },
    ]);
    await post({ alarm_id: 'b', requested_by: 'Bob' }, 'secret-n');
    expect(seen).toEqual([
      ['a', { author: 'alice', sender: 'alice', text: 'on it' }],
      ['b', { author: 'Bob', sender: 'mcp', text: undefined }],
    ]);
  });

  it('cannot be marked with a read-only token, or if the server does not allow it', async () => {
    const refused = [
      403,
      { error: { message: expect.stringMatching(/^UNAUTHORIZED: .*\bnote or control\b/) as string } },
    ];
    expect(await post({ alarm_id: 'a' }, 'secret-r')).toMatchObject(refused);
    expect(await post({ alarm_id: 'a' }, 'secret-a', {})).toMatchObject(refused);
  });

  it.each([
    [{}],
    [{ alarm_id: '' }],
    [{ alarm_id: 'a', more: 1 }],
    [{ alarm_id: 'a', text: ' ' }],
    [[]],
    [{ alarm_id: 'a'.repeat(3001) }],
  ])('is not marked by the invalid request %.40j', async (body) => {
    expect(await post(body, 'secret-a')).toMatchObject([400, { error: { code: -32_602 } }]);
  });

  it.each([
    ['none', 404, 'ARGUMENT_INVALID: there is no alarm none'],
    ['busy', 503, 'STORE_UNAVAILABLE: the store is locked'],
    ['bug', 500, "an internal error in swf-mcp; the server's log has the details"],
  ])('whose id is %s leads to status %i', async (alarm_id, status, message) => {
    expect(await post({ alarm_id }, 'secret-a')).toMatchObject([status, { error: { message } }]);
  });
});
