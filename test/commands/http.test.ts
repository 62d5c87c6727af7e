import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';

import { describe, expect, it, onTestFinished } from 'vitest';

import {
  ask,
  connectHttp,
  runCli,
  runWorkflow,
  startCli,
  startHttp,
  startHttpProcess,
  temporaryFolder,
} from '../helpers.ts';
import { answerIn, call, monitor, send } from './http-requests.ts';

async function finished(): Promise<string> {
  const folder = temporaryFolder();
  await runWorkflow(folder, '--stf-count', '2');
  return folder;
}

const token = 'open-sesame-7c1b';

describe('the server over HTTP', () => {
  it('answers both an MCP client and a single POST without a session', async () => {
    const { url } = await startHttp({ folder: await finished() });
    const { status, headers, body } = await send(url, { body: monitor });
    expect({ status, session: headers['mcp-session-id'] }).toEqual({ status: 200, session: undefined });
    expect(answerIn(body).result.structuredContent).toMatchObject({ status: 'completed', slices_completed: 30 });
    const client = await connectHttp(url);
    expect(await ask(client, 'list_tf_slices', { execution_id: 'latest' })).toMatchObject({ total_count: 30 });
  });

  it('sends the same fields, compressed and without the text copy, to a client that asks to save data', async () => {
    const { url } = await startHttp({ folder: await finished() });
    const usual = await send(url, { body: monitor });
    const saving = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'save-data': 'on',
        'x-swf-answer': 'fields',
        'accept-encoding': 'br',
      },
      body: monitor,
    });
    expect(saving.headers.get('content-encoding')).toBe('br');
    const { result } = answerIn(await saving.text());
    const { as_of_exact: _, ...fields } = result.structuredContent;
    expect(answerIn(usual.body).result.structuredContent).toMatchObject(fields);
    expect(result.content).toEqual([]);
  });

  it('refuses hostile and careless requests with a reason in JSON, and keeps serving', async () => {
    const { url, server } = await startHttp({ folder: await finished(), env: { SWF_MCP_TOKEN: token } });
    const base = url.replace(/\/mcp$/, '');
    const good = { authorization: `Bearer ${token}` };
    const tried: [what: string, where: string, how: Parameters<typeof send>[1], status: number, message: RegExp][] = [
      [
        'the host of another site',
        url,
        { headers: { ...good, host: 'evil.example' } },
        403,
        /^UNAUTHORIZED: the host "evil\.example"/,
      ],
      [
        'a host that begins like ours',
        url,
        { headers: { ...good, host: 'localhost.evil.example' } },
        403,
        /^UNAUTHORIZED: the host/,
      ],
      [
        'a page of another origin',
        url,
        { headers: { ...good, origin: 'https://evil.example' } },
        403,
        /^UNAUTHORIZED: requests from the origin "https:\/\/evil\.example"/,
      ],
      [
        'a page of another program on this machine',
        url,
        { headers: { ...good, origin: 'http://127.0.0.1:9' } },
        403,
        /^UNAUTHORIZED: requests from the origin "http:\/\/127\.0\.0\.1:9"/,
      ],
      [
        'a page of no origin',
        url,
        { headers: { ...good, origin: 'null' } },
        403,
        /^UNAUTHORIZED: requests from the origin "null"/,
      ],
      ['no token', url, { body: monitor }, 401, /^UNAUTHORIZED: no bearer token was given/],
      [
        'a wrong token',
        url,
        { headers: { authorization: 'Bearer wrong' }, body: monitor },
        401,
        /^UNAUTHORIZED: the bearer token is wrong/,
      ],
      [
        'the beginning of the token',
        url,
        { headers: { authorization: `Bearer ${token.slice(0, -1)}` }, body: monitor },
        401,
        /^UNAUTHORIZED/,
      ],
      ['another scheme', url, { headers: { authorization: `Basic ${token}` }, body: monitor }, 401, /^UNAUTHORIZED/],
      ['metrics without a token', `${base}/metrics`, { method: 'GET' }, 401, /^UNAUTHORIZED/],
      ['parameters without a token', `${base}/workflow-executions/latest/`, { method: 'GET' }, 401, /^UNAUTHORIZED/],
      ['what is no JSON', url, { headers: good, body: '{bad' }, 400, /not JSON/],
      ['no body', url, { headers: good, body: '' }, 400, /./],
      ['5 MB', url, { headers: good, body: `"${'x'.repeat(5_000_000)}"` }, 413, /larger than 4194304 bytes/],
      ['a number', url, { headers: good, body: '7' }, 400, /./],
      ['an empty batch', url, { headers: good, body: '[]' }, 400, /./],
      ['a header that never ends', url, { headers: { ...good, x: 'x'.repeat(100_000) } }, 431, /./],
      ['a stream to listen to', url, { headers: good, method: 'GET' }, 405, /with POST/],
      ['the end of a session', url, { headers: good, method: 'DELETE' }, 405, /with POST/],
      ['an answer in another form', url, { headers: { ...good, accept: 'text/html' }, body: monitor }, 406, /Accept/],
      [
        'an unknown protocol version',
        url,
        { headers: { ...good, 'mcp-protocol-version': '1999-01-01' }, body: monitor },
        400,
        /version/i,
      ],
      [
        'an unknown page',
        `${base}/admin`,
        { headers: good, method: 'GET' },
        404,
        /nothing at \/admin; MCP is at \/mcp/,
      ],
      ['an unknown page without the token', `${base}/admin`, { method: 'GET' }, 401, /no bearer token was given/],
      ['a path out of the house', `${base}/../../etc/passwd`, { headers: good, method: 'GET' }, 404, /nothing at/],
      ['OAuth discovery', `${base}/.well-known/oauth-authorization-server`, { method: 'GET' }, 404, /nothing at/],
      [
        'an execution that is not there',
        `${base}/workflow-executions/no-x-1/`,
        { headers: good, method: 'GET' },
        404,
        /^EXECUTION_NOT_FOUND: .*the nearest/,
      ],
      ['a broken escape', `${base}/workflow-executions/%ff/`, { headers: good, method: 'GET' }, 400, /./],
    ];
    for (const [what, where, how, status, message] of tried) {
      const answered = await send(where, how);
      expect({ what, status: answered.status, type: answered.headers['content-type'] }).toEqual({
        what,
        status,
        type: expect.stringContaining('application/json'),
      });
      expect({ what, message: (JSON.parse(answered.body) as { error: { message: string } }).error.message }).toEqual({
        what,
        message: expect.stringMatching(message),
      });
      expect(answered.body).not.toMatch(/node_modules|\bat .*:\d+/);
    }
    const unnamed = await send(url, { headers: good, body: call('no_tool', {}) });
    expect(answerIn(unnamed.body).result).toMatchObject({
      isError: true,
      content: [{ text: expect.stringMatching(/^TOOL_NOT_FOUND/) }],
    });
    for (const args of [[1], 'x'])
      expect(
        answerIn((await send(url, { headers: good, body: call('list_logs', args as never) })).body).result,
      ).toMatchObject({
        isError: true,
        content: [{ text: expect.stringMatching(/^ARGUMENT_INVALID: .*\blist_logs\b/) }],
      });
    const nameless = await send(url, {
      headers: good,
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"arguments":{}}}',
    });
    expect(JSON.parse(nameless.body.replace(/^[^{]*/, ''))).toMatchObject({
      error: { code: -32_602, message: expect.stringMatching(/^tools\/call takes params with the name of a tool/) },
    });
    const wrong = await send(url, { headers: good, body: call('list_logs', { level: 'LOUD' }) });
    expect(answerIn(wrong.body).result).toMatchObject({
      isError: true,
      content: [{ text: expect.stringMatching(/^ARGUMENT_INVALID: level = "LOUD"/) }],
    });
    expect(answerIn((await send(url, { headers: good, body: monitor })).body).result.structuredContent).toMatchObject({
      slices_completed: 30,
    });
    server.kill('SIGTERM');
    expect(await server.finished).toMatchObject({ code: 0, stderr: expect.not.stringMatching(/bug|sesame/) });
  });

  it('shows health without the token, but metrics and execution parameters only with it', async () => {
    const folder = await finished();
    const { url } = await startHttp({ folder, env: { SWF_MCP_TOKEN: token } });
    const base = url.replace(/\/mcp$/, '');
    const get = (path: string) =>
      send(`${base}${path}`, { method: 'GET', headers: { authorization: `Bearer ${token}` } });
    expect(JSON.parse((await send(`${base}/healthz`, { method: 'GET' })).body)).toEqual({
      status: 'ok',
      store_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      data_as_of: expect.any(String),
    });
    await send(url, { headers: { authorization: `Bearer ${token}` }, body: monitor });
    await send(url, { headers: { authorization: `Bearer ${token}` }, body: call('list_logs', { level: 'LOUD' }) });
    const { body, headers } = await get('/metrics');
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(body).toMatch(/^swf_mcp_tool_calls_total\{tool="get_workflow_monitor",outcome="ok"\} 1$/m);
    expect(body).toMatch(/^swf_mcp_tool_calls_total\{tool="list_logs",outcome="error"\} 1$/m);
    for (const line of body.trimEnd().split('\n'))
      expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? [0-9.e+-]+)$/);
    const parameters = JSON.parse((await get('/workflow-executions/stf_datataking-tester-0001/')).body) as Record<
      string,
      object
    >;
    expect(parameters).toMatchObject({
      execution_id: 'stf_datataking-tester-0001',
      status: 'completed',
      run_number: 100_010,
      parameter_values: { fast_processing: { stf_count: 2, slices_per_sample: 15 }, speed: 'max' },
    });
    expect(Object.keys(parameters['parameter_values'] ?? {})).toEqual([
      'workflow',
      'fast_processing',
      'fastmon',
      'daq_state_machine',
      'speed',
    ]);
    expect(JSON.stringify(parameters)).not.toContain(folder);
  });

  it('starts without a store, says so, and finds the store when it appears', async () => {
    const folder = temporaryFolder();
    const { url } = await startHttp({ folder });
    expect(JSON.parse((await send(url.replace(/mcp$/, 'healthz'), { method: 'GET' })).body)).toMatchObject({
      status: 'ok',
      store: 'none yet',
    });
    await runWorkflow(folder, '--stf-count', '1');
    expect(answerIn((await send(url, { body: monitor })).body).result.structuredContent).toMatchObject({
      slices_completed: 15,
    });
  });

  it('closes a connection that does not speak HTTP, even if the other side never closes it', async () => {
    const { url } = await startHttp({ folder: temporaryFolder() });
    const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true });
    const gone = new Promise<string>((resolve) => socket.on('error', ({ message }) => resolve(message)));
    let answer = '';
    socket.on('data', (data: Buffer) => (answer += data.toString()));
    socket.write('BROKEN\r\n\r\n');
    await once(socket, 'end');
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    // Writing to a connection that is only half closed would go on forever.
    const writing = setInterval(() => socket.write('x'), 10);
    onTestFinished(() => {
      clearInterval(writing);
      socket.destroy();
    });
    expect(await gone).toMatch(/EPIPE|ECONNRESET/);
  });

  it('warns that every local user can use it without a token, and requires --insecure-local for control', async () => {
    const folder = temporaryFolder();
    const { server } = await startHttp({ folder });
    await server.saw(/WARNING every user of this machine can use this server; set SWF_MCP_TOKEN/);
    expect(await runCli(['serve', '--http', '0', '--allow-control'], { folder })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^CONFIG_INVALID: --allow-control .*SWF_MCP_TOKEN or SWF_MCP_TOKEN_FILE, or give --insecure-local/,
      ),
    });
    await startHttp({ folder }, '--allow-control', '--insecure-local');
    const guarded = await startHttp({ folder, env: { SWF_MCP_TOKEN: token } }, '--allow-control');
    guarded.server.kill('SIGTERM');
    expect((await guarded.server.finished).stderr).not.toMatch(/WARNING/);
  });

  it('refuses an invalid address, a port in use, and a public address without a token', async () => {
    const folder = temporaryFolder();
    const open = await runCli(['serve', '--http', '0.0.0.0:0'], { folder });
    expect(open).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^CONFIG_INVALID: --http 0\.0\.0\.0:0: .*SWF_MCP_TOKEN/),
    });
    const { url } = await startHttp({ folder });
    const { code, stderr } = await runCli(['serve', '--http', new URL(url).port], { folder });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^CONFIG_INVALID: .*another program is listening there/),
    });
    for (const address of ['x', '70000', ''])
      expect(await runCli(['serve', '--http', address], { folder })).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/^ARGUMENT_INVALID: --http/),
      });
  });

  it('starts with the command in docs/http.md', async () => {
    const section = /```sh\n(.*)\n```/.exec(readFileSync('docs/http.md', 'utf8'))?.[1] ?? '';
    const [, value = '', words = ''] = /^SWF_MCP_TOKEN=(\S+) swf-mcp (.*)$/.exec(section) ?? [];
    const server = startCli(words.replace(/\d+$/, '0').split(' '), {
      folder: temporaryFolder(),
      env: { SWF_MCP_TOKEN: value },
    });
    const url = await server.saw(/MCP server at (http:\S+\/mcp),.* with a token/);
    expect((await send(url, { body: monitor })).status).toBe(401);
  });

  it('can be killed and restarted without losing a client that retries', async () => {
    const folder = await finished();
    const first = await startHttpProcess({ folder });
    const client = await connectHttp(first.url);
    const page = await ask(client, 'list_tf_slices', { execution_id: 'latest', limit: 10 });
    first.server.child.kill('SIGKILL');
    await first.server.finished;
    await expect(ask(client, 'list_tf_slices', { execution_id: 'latest' })).rejects.toThrow();
    const again = startCli(['serve', '--http', new URL(first.url).port], { folder });
    await again.saw(/MCP server at/);
    // The same client, in the middle of a list, without a new handshake.
    const next = await ask(client, 'list_tf_slices', {
      execution_id: 'latest',
      limit: 200,
      cursor: page['next_cursor'],
    });
    expect(next['items']).toHaveLength(20);
  });

  it('finishes the answers in progress when asked to stop, then exits', async () => {
    const folder = temporaryFolder();
    const run = startCli(['run', '--speed', '1'], { folder });
    await run.saw(/execution /);
    const { url, server } = await startHttp({ folder });
    const waiting = send(url, {
      body: call('wait_for_execution', { execution_id: 'latest', until: 'end', timeout_seconds: 45 }),
    });
    await new Promise((resolve) => {
      setTimeout(resolve, 300);
    });
    server.kill('SIGTERM');
    expect(answerIn((await waiting).body).result.structuredContent).toMatchObject({ status: 'running', changed: [] });
    expect(await server.finished).toMatchObject({ code: 0 });
  });
});
