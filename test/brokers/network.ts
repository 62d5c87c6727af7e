import { execFileSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';

import { onTestFinished } from 'vitest';

/** A TCP proxy in front of a broker that can reset every connection. */
export async function startProxy(port: number): Promise<{ port: number; server: Server; reset: () => void }> {
  const sockets = new Set<import('node:net').Socket>();
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    }
    client.pipe(upstream).pipe(client);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as { port: number }).port,
    server,
    reset() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
  };
}

/** A TCP proxy that resets each of its first connections after this many bytes from the server. Ends with the test. */
export async function startCuttingProxy(port: number, cuts: number, bytes: number): Promise<number> {
  let left = cuts;
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    const isCut = left-- > 0;
    let passed = 0;
    for (const socket of [client, upstream]) socket.on('error', () => {}).on('close', () => upstream.destroy());
    client.pipe(upstream);
    upstream.on('data', (chunk: Buffer) => {
      passed += chunk.length;
      client.write(chunk);
      if (isCut && passed >= bytes) client.resetAndDestroy();
    });
    upstream.on('end', () => client.end());
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return (server.address() as { port: number }).port;
}

/** A TCP proxy that resets the first connection on which a client sends a frame like this, and drops the frame. Ends with the test. */
export async function startDroppingProxy(
  port: number,
  frame: RegExp,
): Promise<{ port: number; dropped: Promise<unknown> }> {
  const drops = new EventEmitter();
  const dropped = once(drops, 'drop');
  let isDone = false;
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    for (const socket of [client, upstream]) socket.on('error', () => {}).on('close', () => upstream.destroy());
    client.on('data', (chunk: Buffer) => {
      if (isDone || !frame.test(chunk.toString('latin1'))) upstream.write(chunk);
      else {
        isDone = true;
        client.resetAndDestroy();
        drops.emit('drop');
      }
    });
    client.on('end', () => upstream.end());
    upstream.pipe(client);
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return { port: (server.address() as { port: number }).port, dropped };
}

/** TLS in front of a broker, with its own certificate for `localhost`. */
export async function startTls(
  port: number,
  folder: string,
): Promise<{ port: number; certificate: string; server: Server }> {
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', certificate, '-days', '2'];
  execFileSync('openssl', [...request, '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'], {
    stdio: 'ignore',
  });
  const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (client) => {
    const upstream = connect(port, '127.0.0.1');
    for (const socket of [client, upstream]) socket.on('error', () => socket.destroy());
    client.pipe(upstream).pipe(client);
  }).listen(0, '127.0.0.1');
  server.on('tlsClientError', () => {});
  await once(server, 'listening');
  return { port: (server.address() as { port: number }).port, certificate, server };
}
