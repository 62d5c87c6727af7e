import { once } from 'node:events';
import {
  createServer as createHttpServer,
  type RequestListener,
  type Server as HttpServer,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

import { hostOf, isLoopback } from '../../http/callers.ts';
import { limitConnections } from '../../http/idle-connections.ts';
import { configInvalid, messageOf, valueInvalid } from '../../lib/errors.ts';
import { printable } from '../../lib/printable.ts';
import type { Io } from '../shared/io.ts';
import type { Access } from './http-access.ts';

/** How long the requests in progress may take to end when the server stops, in milliseconds. */
const patienceMilliseconds = 5000;

/**
 * How long to keep an idle connection, in milliseconds: longer than clients and proxies do, since a request is
 * lost if both sides close at the same time.
 */
const keepAliveMilliseconds = 65_000;

/** How long writing the refusal of a broken request may take, in milliseconds. */
const lastWordsMilliseconds = 1000;

/**
 * How long a client may leave its answer unread before it is disconnected, in milliseconds. A wait for an
 * execution is silent for at most a minute.
 */
const silentMilliseconds = 90_000;

const timeLimits = { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 5000 };

const brokenRequests: Readonly<Record<string, readonly [status: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'the headers are too large'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'the request did not arrive in time'],
};

/** Refuses a request that is not HTTP; answers with JSON, like every other refusal. */
function refuseBrokenRequest(error: NodeJS.ErrnoException, socket: Duplex) {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
  const [status, message] = brokenRequests[error.code ?? ''] ?? [
    '400 Bad Request',
    'the request cannot be read as HTTP',
  ];
  const body = JSON.stringify({ jsonrpc: '2.0', error: { code: -32_700, message }, id: null });
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    // Destroyed, not only ended: a client that never closed its side would occupy a connection that another
    // client could use.
    () => socket.destroy(),
  );
  // With TLS, nothing can be written before the handshake.
  setTimeout(() => socket.destroy(), lastWordsMilliseconds).unref();
}

/**
 * An HTTP or HTTPS server whose connections are limited in number and time. Throws `CONFIG_INVALID` for an
 * invalid certificate.
 */
function createBoundedServer(listener: RequestListener, tls: Access['tls']) {
  const server = tls === undefined ? createHttpServer(timeLimits, listener) : createTlsServer(listener, tls);
  server.keepAliveTimeout = keepAliveMilliseconds;
  server.setTimeout(silentMilliseconds);
  server.on('clientError', refuseBrokenRequest);
  return { server, endConnections: limitConnections(server) };
}

function createTlsServer(listener: RequestListener, tls: NonNullable<Access['tls']>) {
  try {
    return createHttpsServer({ ...timeLimits, ...tls, handshakeTimeout: timeLimits.headersTimeout }, listener);
  } catch (error) {
    throw configInvalid(
      `--tls-cert and --tls-key are not a certificate and its key in PEM format (${printable(messageOf(error))})`,
      { cause: error },
    );
  }
}

/**
 * Parses `PORT`, `HOST:PORT` or `[IPv6]:PORT`. Throws `ARGUMENT_INVALID` for anything else.
 * @param option the option that contained the address
 */
export function parseAddress(where: string, option: string) {
  const [, given, digits = ''] = /^(?:(.+):)?(\d{1,5})$/.exec(where) ?? [];
  const port = Number(digits);
  if (digits === '' || port > 65_535)
    throw valueInvalid(
      `${option} ${JSON.stringify(printable(where))} is not an address; give PORT or HOST:PORT, such as 8181 or 127.0.0.1:8181 (0: any free port)`,
    );
  return { host: (given ?? '127.0.0.1').replace(/^\[(.*)\]$/, '$1'), port };
}

type Address = ReturnType<typeof parseAddress>;

/** Starts listening. Throws `CONFIG_INVALID` if that fails. @param given the option and its address */
async function listen(server: HttpServer, address: Address, given: string) {
  server.listen(address.port, address.host);
  try {
    await once(server, 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why =
      code === 'EADDRINUSE'
        ? 'another program is listening there'
        : code === 'EACCES'
          ? 'this user may not listen there'
          : `${code}`;
    throw configInvalid(`${printable(given)}: ${why}; give another address`, { cause: error });
  }
  return server.address() as AddressInfo;
}

/** The root address of a server, in the form that clients use. */
const rootOf = ({ address, family, port }: AddressInfo, tls: Access['tls']) =>
  `${tls === undefined ? 'http' : 'https'}://${family === 'IPv6' ? `[${address}]` : address}:${port}/`;

/**
 * Serves at an address, over TLS if there is a certificate. Throws `CONFIG_INVALID` if the certificate or the
 * address cannot be used. Use it with `await using`: before the server closes, running requests are answered.
 * @param given the option and its address
 */
export async function serveAt(listener: RequestListener, address: Address, given: string, tls?: Access['tls']) {
  const bounded = createBoundedServer(listener, tls);
  const { server } = bounded;
  const bound = await listen(server, address, given);
  return { server, root: rootOf(bound, tls), [Symbol.asyncDispose]: () => close(bounded) };
}

/** Accepts no new connections, and waits until running requests have ended. */
async function close({ server, endConnections }: ReturnType<typeof createBoundedServer>) {
  const closed = once(server, 'close');
  server.close();
  // A connection becomes idle when its answers have been sent.
  const idle = setInterval(() => server.closeIdleConnections(), 50);
  const timer = setTimeout(endConnections, patienceMilliseconds);
  await closed;
  clearInterval(idle);
  clearTimeout(timer);
}

/**
 * Serves the metrics of a process for Prometheus at `/metrics` of its own HTTP server, and a liveness check
 * at `/healthz`. Throws `CONFIG_INVALID` if the address cannot be used. Use it with `await using`.
 * @param where the address as given; if omitted, there is no server
 * @param text the current metrics
 */
export async function serveMetrics(io: Io, where: string | undefined, text: () => string) {
  if (where === undefined) return undefined;
  const address = parseAddress(where, '--metrics');
  const isPrivate = isLoopback(address.host);
  const listener: RequestListener = ({ url, method, headers }, response) => {
    // Against DNS rebinding: a page in a browser on this machine could reach this server under a foreign
    // name, which the browser sends as the host.
    const isForeign = isPrivate && headers.host !== undefined && !isLoopback(hostOf(headers.host) ?? '');
    if (isForeign && url !== '/healthz') answer(response, 403, 'use 127.0.0.1 or localhost\n');
    else if (method !== 'GET' && method !== 'HEAD') answer(response, 405, 'only GET\n');
    else if (url === '/metrics') answerMetrics(response, text);
    else if (url === '/healthz') answer(response, 200, 'ok\n');
    else answer(response, 404, 'metrics are at /metrics\n');
  };
  const served = await serveAt(listener, address, `--metrics ${where}`);
  io.err(`metrics at ${served.root}metrics`);
  return served;
}

/** A store that cannot be read must not end a process that only reports on it. */
function answerMetrics(response: ServerResponse, text: () => string) {
  try {
    answer(response, 200, text());
  } catch (error) {
    answer(response, 503, `${messageOf(error)}\n`);
  }
}

function answer(response: ServerResponse, status: number, text: string) {
  response.writeHead(status, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text);
}
