import { once } from 'node:events';
import { createServer, get, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

import { describe, expect, it, onTestFinished } from 'vitest';

import { limitConnections } from '../../src/http/idle-connections.ts';

/** Much more than the buffers of a connection can hold. */
const large = Buffer.alloc(20_000_000, 'x');

/** A server of at most five connections, which answers `/large` at once, and `/later` on request. */
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

/** Resolves when this many requests have arrived. */
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

/** The numbers of the connections that have ended, in their order. */
function endsOf(sockets: readonly Socket[]): number[] {
  const ended: number[] = [];
  for (const [number, socket] of sockets.entries()) socket.once('close', () => ended.push(number));
  return ended;
}

const openMany = async (port: number, many: number, text = ''): Promise<Socket[]> => {
  const sockets: Socket[] = [];
  for (let n = 0; n < many; n += 1) sockets.push(await open(port, text));
  return sockets;
};

describe('connections beyond the limit', () => {
  it('replace the connection whose client has gone longest without reading its answer', async () => {
    const { server, port } = await start();
    const served = requests(server, 5);
    const deaf = await openMany(port, 5, asked('/large'));
    await served;
    const ended = endsOf(deaf);
    // Unread data hide from them that their connection has ended.
    const isLeft = async (): Promise<number> =>
      new Promise((resolve) => void server.getConnections((_, count) => resolve(count)));
    for (let n = 0; n < 5; n += 1) expect(await statusOf(port)).toBe(200);
    await expect.poll(isLeft).toBe(4);
    deaf[0]?.resume();
    await expect.poll(() => ended).toEqual([0]);
  });

  it('replace those that have been idle longest, but never one with a request under way', async () => {
    const { server, port, answerLater } = await start();
    const both = requests(server, 2);
    const busy = await open(port, asked('/') + asked('/later'));
    const busyEnds = endsOf([busy]);
    let text = '';
    busy.on('data', (data: Buffer) => (text += data.toString()));
    await both;
    const idle = await openMany(port, 4);
    const ended = endsOf(idle);
    // The first was idle for longest, until it asked.
    const asking = requests(server, 1);
    idle[0]?.resume().write(asked('/'));
    await asking;
    await expect.poll(() => idle[0]?.bytesRead ?? 0).toBeGreaterThan(0);
    const more = endsOf(await openMany(port, 3));
    await expect.poll(() => ended).toEqual([1, 2, 3]);
    expect(await statusOf(port)).toBe(200);
    await expect.poll(() => ended).toEqual([1, 2, 3, 0]);
    expect([more, busyEnds]).toEqual([[], []]);
    answerLater();
    await expect.poll(() => text).toMatch(/fine[^]*later/);
  });

  it('are refused if all others have requests under way', async () => {
    const { server, port, answerLater } = await start();
    const all = requests(server, 5);
    const busy = await openMany(port, 5, asked('/later'));
    for (const socket of busy) socket.resume();
    await all;
    const ended = endsOf(busy);
    await expect(statusOf(port)).rejects.toThrow();
    expect(ended).toEqual([]);
    answerLater();
    // Their requests are over, so the oldest may be closed.
    await expect.poll(() => busy.every(({ bytesRead }) => bytesRead > 0)).toBe(true);
    expect(await statusOf(port)).toBe(200);
    await expect.poll(() => ended).toHaveLength(1);
  });

  it('are accepted once others end, and all are closed with the server', async () => {
    const { server, port, endAll } = await start();
    for (const socket of await openMany(port, 5)) {
      socket.destroy();
      await expect.poll(() => socket.closed).toBe(true);
    }
    const left = (): Promise<number> =>
      new Promise((resolve) => void server.getConnections((_, count) => resolve(count)));
    await expect.poll(left).toBe(0);
    const sockets = await openMany(port, 5);
    const ended = endsOf(sockets);
    await expect.poll(left).toBe(5);
    expect(ended).toEqual([]);
    endAll();
    await expect.poll(() => ended.toSorted()).toEqual([0, 1, 2, 3, 4]);
  });
});
