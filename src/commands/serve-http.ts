import { once } from 'node:events';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';

import { createApp } from '../http/app.ts';
import { isLoopback } from '../http/guard.ts';
import { createMetrics } from '../http/metrics.ts';
import { SwfError } from '../lib/errors.ts';
import { createServer, type ServerOptions } from '../server.ts';
import { exitCodes, type Io, storePath } from './io.ts';
import { openBrowser } from './open-browser.ts';

/** How long requests under way may take to end when the server is told to stop. */
const patienceMilliseconds = 5000;

/** More clients at once are turned away: each costs memory, and a few hundred are all that anybody has. */
const mostConnections = 1000;

const brokenRequests: Readonly<Record<string, readonly [status: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'the headers are too large'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'the request did not come in time'],
};

/** Refuses a request that is no HTTP like any other: as JSON. */
function refuseBrokenRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, message] = brokenRequests[error.code ?? ''] ?? [
    '400 Bad Request',
    'the request cannot be read as HTTP',
  ];
  const body = JSON.stringify({
    jsonrpc: '2.0',
    error: { code: -32_700, message },
    id: null,
  });
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    // Not only ended: one who never closes his side would keep the place of another.
    () => socket.destroy(),
  );
}

interface HttpArguments {
  where: string;
  open: string | undefined;
  allowControl: boolean;
  insecureLocal: boolean;
}

/** Serves MCP over Streamable HTTP until a signal comes; answers under way are given before it ends. Returns the exit code. */
export async function serveHttp(io: Io, args: HttpArguments, options: ServerOptions): Promise<number> {
  const { where, open } = args;
  const { host, port } = parseAddress(where);
  const token = tokenFor(io, host, args);
  const stopping = new AbortController();
  const metrics = createMetrics(io.version);
  const app = createApp({
    createServer: () =>
      createServer({
        ...options,
        stopping: stopping.signal,
        onCall: (tool) => metrics.beginCall(tool),
      }),
    queries: options.queries,
    metrics,
    token,
    anyHost: !isLoopback(host) && token !== undefined,
    pageFolder: join(io.packageFolder, 'dist', 'web'),
    log: options.log,
  });
  const server = createHttpServer(
    { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 5000 },
    app,
  );
  server.maxConnections = mostConnections;
  server.on('clientError', refuseBrokenRequest);
  const { address, family, port: bound } = await listen(server, host, port, where);
  const shown = family === 'IPv6' ? `[${address}]` : address;
  tell(io, { address, root: `http://${shown}:${bound}/`, port: bound, token, open });
  await new Promise<void>((resolve) => io.onInterrupt(() => resolve()));
  stopping.abort();
  await close(server);
  return exitCodes.fine;
}

/** The token that is asked for; undefined where everybody on this machine may ask. Throws `CONFIG_INVALID` where that would be too much. */
function tokenFor(io: Io, host: string, { where, allowControl, insecureLocal }: HttpArguments): string | undefined {
  const token = io.env['SWF_MCP_TOKEN'] || undefined;
  if (token !== undefined && !/^[\x21-\x7E]+$/.test(token)) {
    throw new SwfError(
      'CONFIG_INVALID',
      'SWF_MCP_TOKEN holds a blank or a letter that no header can have; choose another',
    );
  }
  if (!isLoopback(host) && token === undefined) {
    throw new SwfError(
      'CONFIG_INVALID',
      `--http ${where}: on an address that others can reach a token is needed; set SWF_MCP_TOKEN, or bind to 127.0.0.1`,
    );
  }
  if (token === undefined && allowControl && !insecureLocal) {
    throw new SwfError(
      'CONFIG_INVALID',
      '--allow-control over HTTP without a token lets every user of this machine start and end runs; set SWF_MCP_TOKEN, or give --insecure-local if that is wanted',
    );
  }
  return token;
}

interface Listening {
  address: string;
  root: string;
  port: number;
  token: string | undefined;
  open: string | undefined;
}

/** Says where the server is, and who may ask it. */
function tell(io: Io, { address, root, port, token, open }: Listening): void {
  io.err(
    `swf-mcp ${io.version}: MCP server at ${root}mcp, store ${storePath(io)}${token === undefined ? '' : ', with a token'}; page at ${root}`,
  );
  if (token === undefined)
    io.err('WARNING every user of this machine can ask this server; set SWF_MCP_TOKEN to keep others out');
  // An address that stands for all of this machine's is none that a browser can go to.
  const isAny = address === '0.0.0.0' || address === '::';
  if (open !== undefined) openBrowser(io, (isAny ? `http://127.0.0.1:${port}/` : root) + open);
}

/** `PORT`, `HOST:PORT` or `[IPv6]:PORT`. Throws `CONFIG_INVALID`. */
function parseAddress(where: string): { host: string; port: number } {
  const [, given, digits = ''] = /^(?:(.+):)?(\d{1,5})$/.exec(where) ?? [];
  const port = Number(digits);
  if (digits === '' || port > 65_535)
    throw new SwfError(
      'CONFIG_INVALID',
      `--http ${JSON.stringify(where)} is no address; give PORT or HOST:PORT, such as 8181 or 127.0.0.1:8181 (0: any free port)`,
    );
  return { host: (given ?? '127.0.0.1').replace(/^\[(.*)\]$/, '$1'), port };
}

async function listen(server: HttpServer, host: string, port: number, where: string): Promise<AddressInfo> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why =
      code === 'EADDRINUSE'
        ? 'another program listens there'
        : code === 'EACCES'
          ? 'this user may not listen there'
          : `${code}`;
    throw new SwfError('CONFIG_INVALID', `--http ${where}: ${why}; give another address`, { cause: error });
  }
  return server.address() as AddressInfo;
}

async function close(server: HttpServer): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), patienceMilliseconds);
  await closed;
  clearTimeout(timer);
}
