import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { connectHttp, runWorkflow, startCli, startHttp, temporaryFolder } from '../helpers.ts';
import { answerIn, call, monitor, send } from './http-requests.ts';

function idleConnection(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  return new Promise((resolve) => socket.once('connect', () => resolve(socket)));
}

const get = (url: string) => send(url, { method: 'GET' });

describe('an HTTP server with limits', () => {
  it('keeps a thousand silent connections from shutting out other clients', async () => {
    const { url } = await startHttp({ folder: temporaryFolder() });
    const health = url.replace(/mcp$/, 'healthz');
    for (let n = 0; n < 1100; n += 1) await idleConnection(Number(new URL(url).port));
    for (let n = 0; n < 20; n += 1) expect((await get(health)).status).toBe(200);
  });

  it('refuses calls from a client with too many under way until some have ended', async () => {
    const headers = { authorization: 'Bearer a' };
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '20');
    const full = await startHttp({ folder, env: { SWF_MCP_TOKEN: 'a' } });
    const waits = JSON.stringify(
      Array.from({ length: 100 }, (_, id) => ({
        jsonrpc: '2.0',
        id: id + 1,
        method: 'tools/call',
        params: { name: 'audit_execution', arguments: { execution_id: 'latest' } },
      })),
    );
    const answered = await Promise.all(Array.from({ length: 5 }, () => send(full.url, { headers, body: waits })));
    const busy = answered.filter(({ status }) => status === 429);
    expect(answered.map(({ status }) => status).toSorted()).toEqual([200, 200, 429, 429, 429]);
    for (const { headers: told, body } of busy) {
      expect(told['retry-after']).toBe('1');
      expect(JSON.parse(body).error.message).toMatch(
        /too many calls are in progress: 300 calls from one client, at most 200 allowed/,
      );
    }
    expect((await send(full.url, { headers, body: monitor })).status).toBe(200);
  });

  it('does not count running or queued calls from a client that has disconnected', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '20');
    const { url } = await startHttp({ folder });
    const { port, host } = new URL(url);
    const post = (body: string): string =>
      `POST /mcp HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const audit = JSON.parse(call('audit_execution', { execution_id: 'latest' })) as object;
    const batch = JSON.stringify(Array.from({ length: 90 }, (_, id) => ({ ...audit, id })));
    for (let n = 0; n < 4; n += 1) {
      const socket = await idleConnection(Number(port));
      const first = once(socket, 'data');
      socket.write(post(monitor) + post(batch) + post(batch));
      await first;
      socket.resetAndDestroy();
    }
    // As many as one client may have under way.
    await expect.poll(async () => (await send(url, { body: batch })).status).toBe(200);
    const both = await Promise.all([send(url, { body: batch }), send(url, { body: batch })]);
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    const many = JSON.stringify(Array.from({ length: 300 }, (_, id) => ({ ...audit, id })));
    expect(JSON.parse((await send(url, { body: many })).body).error.message).toBe(
      'the batch has 300 messages; send at most 100 at once',
    );
  });

  it('lets one client run SQL queries while another has many endless queries under way', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '1');
    const path = join(folder, 'tokens');
    writeFileSync(path, 'a read token-a\nb read token-b\n', { mode: 0o600 });
    const { url } = await startHttp({ folder, env: { SWF_MCP_TOKEN_FILE: path } });
    const endless = 'WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n';
    const storm = JSON.stringify(
      Array.from({ length: 20 }, (_, id) => ({ ...(JSON.parse(call('query_store', { sql: endless })) as object), id })),
    );
    const controller = new AbortController();
    const headers = (name: string) => ({
      authorization: `Bearer token-${name}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    });
    const ended: string[] = [];
    const asking = fetch(url, { method: 'POST', headers: headers('a'), body: storm, signal: controller.signal })
      .then((response) => response.text())
      .then(() => ended.push('storm'))
      .catch(() => {});
    const one = await send(url, {
      headers: headers('b'),
      body: call('query_store', { sql: 'SELECT count(*) AS n FROM v_slices' }),
    });
    expect(answerIn(one.body).result.structuredContent).toMatchObject({ rows: [[15]] });
    // It did not wait for all queries of the other client.
    expect(ended).toEqual([]);
    controller.abort();
    await asking;
  });

  it('ends the stream of a batch that cancels its own request', async () => {
    const { url } = await startHttp({ folder: temporaryFolder() });
    const wait = JSON.parse(call('wait_for_execution', { execution_id: 'latest', timeout_seconds: 60 })) as object;
    const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } };
    expect(await send(url, { body: JSON.stringify([wait, cancel]) })).toMatchObject({ status: 202, body: '' });
    const other = { ...(JSON.parse(monitor) as object), id: 2 };
    const both = await send(url, { body: JSON.stringify([wait, other, cancel]) });
    expect(answerIn(both.body)).toMatchObject({ id: 2, result: { isError: true } });
  });

  it('ends a call that its client cancels in a separate request, and no other call', async () => {
    const folder = temporaryFolder();
    await startCli(['run'], { folder }).saw(/execution /);
    const { url } = await startHttp({ folder });
    const wait = (id: number): string =>
      JSON.stringify({
        ...(JSON.parse(
          call('wait_for_execution', { execution_id: 'latest', until: 'end', timeout_seconds: 45 }),
        ) as object),
        id,
      });
    const cancel = (requestId: number): string =>
      JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } });
    const ended: number[] = [];
    const bodies: string[] = [];
    const waits = [7, 8, 8].map((id) =>
      send(url, { body: wait(id) }).then(({ body }) => void (ended.push(id) + bodies.push(body))),
    );
    await expect
      .poll(async () => {
        await send(url, { body: cancel(7) });
        return ended;
      })
      .toEqual([7]);
    expect(answerIn(bodies[0] ?? '')).toMatchObject({
      id: 7,
      error: { message: 'the call was cancelled by its client' },
    });
    // Two calls without tokens have this number: nobody knows which one is meant.
    await send(url, { body: cancel(8) });
    await send(url, { body: monitor });
    expect(ended).toEqual([7]);
    void waits;
  });

  it('describes what is wrong with params, for each method', async () => {
    const { url } = await startHttp({ folder: temporaryFolder() });
    for (const method of ['initialize', 'resources/read', 'prompts/get', 'completion/complete', 'tools/call']) {
      const { body } = await send(url, { body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: {} }) });
      expect(answerIn(body)).toMatchObject({
        error: { code: -32_602, message: expect.stringMatching(new RegExp(`^${method} takes params`)) as string },
      });
    }
    for (const method of ['tools/list', 'resources/list', 'resources/templates/list', 'prompts/list']) {
      const asked = async (params?: object) =>
        answerIn((await send(url, { body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) })).body);
      const refused = (message: string) => ({ error: { code: -32_602, message } });
      expect(await asked({ cursor: 'made-up' })).toMatchObject(
        refused(`${method} has only one page; leave cursor out`),
      );
      expect(await asked({ cursor: 5 })).toMatchObject(refused(`${method} takes params such as {}`));
      expect(await asked()).toMatchObject({ result: {} });
    }
  });

  it('announces how long a connection is kept, and closes it if the client asks', async () => {
    const { url } = await startHttp({ folder: temporaryFolder() });
    expect((await send(url, { body: monitor, headers: { connection: 'close' } })).headers).toMatchObject({
      connection: 'close',
    });
    expect((await send(url, { body: monitor, headers: { connection: 'keep-alive' } })).headers).toMatchObject({
      connection: 'keep-alive',
      'keep-alive': 'timeout=65',
    });
    const old = connect({ port: Number(new URL(url).port), host: '127.0.0.1' });
    let text = '';
    old.on('data', (data: Buffer) => (text += data.toString()));
    old.write(
      `POST /mcp HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nContent-Length: ${monitor.length}\r\n\r\n${monitor}`,
    );
    await once(old, 'end');
    expect(text).toMatch(/connection: close/i);
    expect(text).toMatch(/STORE_UNAVAILABLE/);
  });

  it('does not reset reused connections', async () => {
    const { url } = await startHttp({ folder: temporaryFolder() });
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    onTestFinished(() => agent.destroy());
    const ask = () =>
      new Promise<number>((resolve, reject) => {
        const sent = request(url, {
          agent,
          method: 'POST',
          headers: { accept: 'application/json, text/event-stream', 'content-type': 'application/json' },
        });
        sent.on('error', reject);
        sent.on('response', (response) => response.resume().on('end', () => resolve(response.statusCode ?? 0)));
        sent.end(monitor);
      });
    const sockets = new Set<unknown>();
    agent.on('free', (socket) => sockets.add(socket));
    for (let round = 0; round < 50; round += 1)
      expect(new Set(await Promise.all(Array.from({ length: 20 }, ask)))).toEqual(new Set([200]));
    expect(sockets.size).toBeLessThanOrEqual(8);
  });

  it('serves a second client while the first has a hundred audits under way', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '20');
    const { url } = await startHttp({ folder });
    const second = await connectHttp(url);
    const batch = JSON.stringify(
      Array.from({ length: 100 }, (_, id) => ({
        ...(JSON.parse(call('audit_execution', { execution_id: 'latest' })) as object),
        id,
      })),
    );
    const order: string[] = [];
    const audits = send(url, { body: batch }).finally(() => order.push('audits'));
    for (let n = 0; n < 5; n += 1) {
      const answer = await second.callTool({
        name: 'get_workflow_monitor',
        arguments: { execution_id: 'latest' },
      });
      expect(answer.isError).not.toBe(true);
      order.push('monitor');
    }
    const { body } = await audits;
    expect(body.match(/"structuredContent"/g)).toHaveLength(100);
    expect(order).toEqual([...Array.from({ length: 5 }, () => 'monitor'), 'audits']);
  });
});
