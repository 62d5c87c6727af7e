import { connect, type Socket } from 'node:net';

import { random } from '../src/domain/plan/v1.ts';
import { startCli } from './cli.ts';

const call = (name: string, args: object, id: number) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: args },
});

const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

async function post(url: string, body: unknown): Promise<string> {
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  return response.text();
}

/**
 * Something that a client should not do, chosen at random: it sends nothing, half a request, or nonsense,
 * or it requests too much at once.
 */
function misbehave(url: string, chance: number, sockets: Socket[]): Promise<unknown> {
  const { port } = new URL(url);
  const open = (text: string): Promise<unknown> =>
    new Promise((resolve) => {
      const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true }, () => {
        socket.write(text);
        resolve(undefined);
      });
      socket.on('error', resolve);
      sockets.push(socket);
    });
  const audits = Array.from({ length: 100 }, (_, id) => call('audit_execution', { execution_id: 'latest' }, id));
  if (chance < 0.3) return open('');
  if (chance < 0.5) return open('POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Len');
  if (chance < 0.6) return open('POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"json');
  if (chance < 0.7) return open('\u0016\u0003\u0001 nonsense\r\n\r\n');
  void post(url, audits).catch(() => {});
  return Promise.resolve();
}

/**
 * Hundreds of such clients at once. A client that behaves well must get every answer, correct and within
 * two seconds.
 */
export async function crowd(seed: number, folder: string) {
  const server = startCli(folder, ['serve', '--http', '0']);
  const url = await new Promise<string>((resolve, reject) => {
    server.child.stderr?.on('data', (data: Buffer | string) => {
      const [, found] = /MCP server at (http:\S+\/mcp)/.exec(String(data)) ?? [];
      if (found !== undefined) resolve(found);
    });
    server.child.once('close', () => reject(new Error('the server ended')));
  });
  const sockets: Socket[] = [];
  const lost: string[] = [];
  try {
    const monitor = call('get_workflow_monitor', { execution_id: 'latest' }, 1);
    const expected = /"slices_completed":\d+/.exec(await post(url, monitor))?.[0];
    for (let n = 0; n < 400; n += 1) {
      await misbehave(url, random(seed, n, 'client'), sockets);
      if (n % 40 !== 0) continue;
      const began = performance.now();
      const health = await fetch(url.replace('/mcp', '/healthz'));
      if (health.status !== 200) lost.push(`health was ${health.status}`);
      const answer = await post(url, monitor);
      const took = performance.now() - began;
      // This client has the same address as the others, so it may be asked to wait; nothing else may go wrong.
      if (!/too many calls are in progress/.test(answer) && /"slices_completed":\d+/.exec(answer)?.[0] !== expected)
        lost.push(`a wrong answer: ${answer.slice(0, 200)}`);
      if (took > 2000) lost.push(`an answer took ${Math.round(took)} ms`);
    }
  } finally {
    for (const socket of sockets) socket.destroy();
    server.child.kill('SIGTERM');
  }
  const { code, stderr } = await server.ended;
  if (code !== 0 || /bug|Warning:/.test(stderr)) lost.push(`the server ended with ${code}: ${stderr}`);
  return { seed, faults: 400, lost, added: [] };
}
