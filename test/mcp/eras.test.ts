import { describe, expect, it } from 'vitest';

import { eraOf } from '../../src/mcp/era.ts';
import { runWorkflow, temporaryFolder } from '../helpers.ts';
import { initializeParams, request, stateless } from './messages.ts';
import { type Answered, headersOf, post, type Talk, talkOnStdio, talkOverHttp } from './talks.ts';

describe('the era of a client', () => {
  const of = (revision: unknown): object =>
    request('tools/list', 1, { _meta: { 'io.modelcontextprotocol/protocolVersion': revision } });
  it.each<[body: unknown, header: string | undefined, era: string]>([
    [request('initialize', 1, initializeParams), undefined, 'handshake'],
    [request('tools/list', 1), undefined, 'handshake'],
    [request('tools/list', 1), '2025-11-25', 'handshake'],
    [request('tools/list', 1), '2026-07-28', 'stateless'],
    [request('tools/list', 1), '2027-01-01', 'stateless'],
    [request('tools/list', 1), 'nonsense', 'handshake'],
    [of('2026-07-28'), undefined, 'stateless'],
    [of('2026-07-28'), '2025-11-25', 'stateless'],
    [of('1900-01-01'), undefined, 'stateless'],
    [of(null), undefined, 'stateless'],
    [request('tools/list', 1, { _meta: { progressToken: 1 } }), undefined, 'handshake'],
    [[request('ping', 1), of('2026-07-28')], undefined, 'stateless'],
    [[request('ping', 1), null, { params: null }, { params: { _meta: null } }], undefined, 'handshake'],
    [null, undefined, 'handshake'],
    ['text', undefined, 'handshake'],
  ])('that sends %j with the header %j is %s', (body, header, era) => {
    expect(eraOf(body, header)).toBe(era);
  });
});

/** What a client may ask, and how long it may keep the answer, in milliseconds. */
const questions: [method: string, params: object, kept?: number, scope?: 'public' | 'private'][] = [
  ['tools/list', {}, 300_000, 'private'],
  ['tools/list', { cursor: 'x' }],
  ['tools/call', { name: 'get_workflow_monitor', arguments: { execution_id: 'latest' } }],
  ['tools/call', { name: 'list_tf_slices', arguments: { execution_id: 'latest', limit: 3 } }],
  ['tools/call', { name: 'list_tf_slices', arguments: { limit: 'x' } }],
  ['tools/call', { name: 'no_such_tool', arguments: {} }],
  ['tools/call', {}],
  ['resources/list', {}, 0, 'private'],
  ['resources/templates/list', {}, 300_000, 'public'],
  ['resources/read', { uri: 'swf://executions/latest/report' }, 0, 'private'],
  ['resources/read', { uri: 'ui://swf/monitor' }, 0, 'private'],
  ['resources/read', { uri: 'swf://nothing' }],
  ['resources/read', {}],
  ['prompts/list', {}, 300_000, 'public'],
  ['prompts/get', { name: 'why_failed', arguments: { execution_id: 'x' } }],
  ['prompts/get', { name: 'nothing' }],
  ['completion/complete', { argument: { name: 'execution_id', value: 'l' } }],
  ['completion/complete', {}],
  ['no/such/method', {}],
];

/** An answer as text without the moment of asking, and what only the stateless era adds. */
function parted({ result, error }: Answered) {
  const { resultType, ttlMs, cacheScope, _meta, ...plain } = result ?? {};
  const text = JSON.stringify(error ?? plain).replaceAll(/(as_of_exact\W+)[\dT:.-]+Z/g, '$1');
  return { text, added: { resultType, ttlMs, cacheScope, _meta } };
}

describe.each(['stdio', 'http'] as const)('over %s', (transport) => {
  const talkTo = async (folder: string): Promise<Talk> =>
    (transport === 'stdio' ? talkOnStdio({ folder }) : await talkOverHttp({ folder })).talk;

  it('clients of both eras get the same answers, byte for byte, and stateless clients also learn how long the answers are valid', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '2');
    const [handshake, later] = [await talkTo(folder), await talkTo(folder)];
    await handshake(request('initialize', 0, initializeParams));
    const serverInfo = { name: 'swf-mcp', title: 'Streaming workflow testbed', version: expect.any(String) as string };
    for (const [at, [method, params, ttlMs, cacheScope]] of questions.entries()) {
      const before = await handshake(request(method, at + 1, params));
      const answer = await later(request(method, at + 1, { ...params, ...stateless }));
      expect(parted(answer).text, method).toBe(parted(before).text);
      const isAnswered = answer.error === undefined;
      expect(parted(answer).added, method).toEqual({
        resultType: isAnswered ? 'complete' : undefined,
        ttlMs,
        cacheScope,
        _meta: isAnswered ? { 'io.modelcontextprotocol/serverInfo': serverInfo } : undefined,
      });
    }
  });

  it('the text of an answer is the JSON of its fields', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '1');
    const talk = await talkTo(folder);
    await talk(request('initialize', 0, initializeParams));
    const { result } = await talk(request('tools/call', 1, { name: 'list_tf_slices', arguments: {} }));
    const [{ text } = { text: '' }] = (result?.['content'] ?? []) as { text: string }[];
    expect(text).toContain('.tf');
    expect(JSON.stringify(result?.['structuredContent'])).toBe(text);
  });

  it('the capabilities and instructions of both eras are the same', async () => {
    const folder = temporaryFolder();
    const { result: begun } = await (await talkTo(folder))(request('initialize', 1, initializeParams));
    const { result: found } = await (await talkTo(folder))(request('server/discover', 1, stateless));
    expect(found).toMatchObject({
      supportedVersions: ['2026-07-28'],
      capabilities: begun?.['capabilities'],
      instructions: begun?.['instructions'],
      ttlMs: 300_000,
      cacheScope: 'public',
    });
    expect(begun).toMatchObject({ protocolVersion: '2025-11-25', capabilities: { tools: {}, completions: {} } });
  });

  it('an unsupported revision is refused with a list of the supported ones', async () => {
    const talk = await talkTo(temporaryFolder());
    const meta = { ...stateless._meta, 'io.modelcontextprotocol/protocolVersion': '2099-01-01' };
    const { error } = await talk(request('tools/list', 1, { _meta: meta }));
    expect(error).toMatchObject({ code: -32_022, data: { supported: ['2026-07-28'], requested: '2099-01-01' } });
  });
});

describe('a server on stdio', () => {
  it('answers a client the same with or without server/discover before the handshake', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '1');
    const [usual, looking] = [talkOnStdio({ folder }).talk, talkOnStdio({ folder }).talk];
    expect((await looking(request('server/discover', -1, stateless))).result).toHaveProperty('supportedVersions');
    const wrong: [string, object] = ['initialize', {}];
    for (const [at, [method, params]] of [wrong, ['initialize', initializeParams] as const, ...questions].entries())
      expect(parted(await looking(request(method, at, params))), method).toEqual(
        parted(await usual(request(method, at, params))),
      );
  });

  it('keeps the era of the first request', async () => {
    const first = talkOnStdio({ folder: temporaryFolder() });
    await first.talk(request('tools/list', 1, stateless));
    expect((await first.talk(request('initialize', 2, initializeParams))).error).toMatchObject({ code: -32_022 });
    const second = talkOnStdio({ folder: temporaryFolder() });
    await second.talk(request('initialize', 1, initializeParams));
    expect((await second.talk(request('tools/list', 2, stateless))).result).not.toHaveProperty('resultType');
  });

  it.each(['handshake', 'stateless'] as const)('answers invalid lines in the %s era, and continues', async (era) => {
    const { talk, send, said } = talkOnStdio({ folder: temporaryFolder() });
    await talk(
      era === 'handshake' ? request('initialize', 1, initializeParams) : request('server/discover', 1, stateless),
    );
    said.length = 0;
    send(
      'no json\n[]\n{"jsonrpc":"2.0","id":1.5,"method":"ping"}\n{"jsonrpc":"2.0","id":3,"method":"ping","params":[]}\n',
    );
    await talk(request('tools/list', 2, era === 'handshake' ? {} : stateless));
    expect(said.map(({ id, error }) => [id, error?.code])).toEqual([
      [null, -32_700],
      [null, -32_600],
      [null, -32_600],
      [null, -32_600],
      [2, undefined],
    ]);
  });

  it.each(['handshake', 'stateless'] as const)(
    'answers the last message in the %s era before it exits',
    async (era) => {
      const { send, end, heard } = talkOnStdio({ folder: temporaryFolder() });
      send(`${JSON.stringify(request('tools/list', 1, era === 'handshake' ? {} : stateless))}\n`);
      end();
      expect((await heard(1)).result).toHaveProperty('tools');
    },
  );
});

describe('a server over HTTP', () => {
  const list = request('tools/list', 1, stateless);
  it.each<[why: string, headers: Record<string, string>]>([
    ['lacks the revision', { 'Mcp-Method': 'tools/list' }],
    ['names another revision', { ...headersOf(list), 'MCP-Protocol-Version': '2025-11-25' }],
    ['lacks the method', { 'MCP-Protocol-Version': '2026-07-28' }],
    ['names another method', { ...headersOf(list), 'Mcp-Method': 'tools/call' }],
  ])('refuses a request of revision 2026-07-28 that %s in its headers', async (_, headers) => {
    const { url } = await talkOverHttp({ folder: temporaryFolder() });
    const response = await post(url, list, headers);
    expect([response.status, ((await response.json()) as { error: { code: number } }).error.code]).toEqual([
      400, -32_020,
    ]);
  });

  it('chooses the era for each request, and answers an unknown method with 404 in the stateless era', async () => {
    const { url, talk } = await talkOverHttp({ folder: temporaryFolder() });
    expect((await talk(list)).result).toHaveProperty('resultType', 'complete');
    expect((await talk(request('tools/list', 1))).result).not.toHaveProperty('resultType');
    expect((await post(url, request('no/such', 1, stateless))).status).toBe(404);
  });
});
