import { once } from 'node:events';
import { createServer, get, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

import { describe, expect, it, onTestFinished } from 'vitest';

import { limitConnections } from '../../src/http/idle-connections.ts';

/** Much more than the buffers of a connection take. */
const large = Buffer.alloc(20_000_000, 'x');

/** A server of at most five connections, which answers `/large` at once, and `/later` when it is told to. */
async function start(): Promise<{ server: Server; port: number; answerLater: () => void; endAll: () => void }> {
  const later: (() => void)[] = [];
  const server = createServer((request, response) => {
    if (request.url === '/large') response.end(large);
    else if (request.url === '/later') later.push(() => response.end('later'));
    else response.end('fine');
  });
  const endAll = limitConnections(server, 5);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    endAll();
    server.close();
  });
  const answerLater = (): void => {
    for (const answer of later.splice(0)) answer();
  };
  return { server, port: (server.address() as AddressInfo).port, answerLater, endAll };
}

/** Resolves when so many requests have come. */
const requests = (server: Server, many: number): Promise<void> =>
  new Promise((resolve) => {
    let count = 0;
    server.on('request', () => {
      count += 1;
      if (count === many) resolve();
    });
  });

async function open(port: number, text: string): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

const asked = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

const statusOf = (port: number): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', path: '/', agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    }).on('error', reject);
  });

describe('connections beyond the limit', () => {
  it('take the place of those that ask and do not read', async () => {
    const { server, port } = await start();
    const served = requests(server, 5);
    // Nobody listens to their data, so they are paused.
    for (let n = 0; n < 5; n += 1) await open(port, asked('/large'));
    await served;
    for (let n = 0; n < 5; n += 1) expect(await statusOf(port)).toBe(200);
  });

  it('take the place of idle ones, and never of one whose request is under way, be it the second of two', async () => {
    const { server, port, answerLater } = await start();
    const both = requests(server, 2);
    const busy = await open(port, asked('/') + asked('/later'));
    let text = '';
    busy.on('data', (data: Buffer) => (text += data.toString()));
    await both;
    for (let n = 0; n < 10; n += 1) await open(port, '');
    expect(await statusOf(port)).toBe(200);
    answerLater();
    await expect.poll(() => text).toMatch(/fine[^]*later/);
  });
});
