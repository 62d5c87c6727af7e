import type { ServerResponse } from 'node:http';

import { hostOf, isLoopback } from '../../http/callers.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Io } from '../shared/io.ts';
import { close, createBoundedServer, listen, parseAddress, rootOf } from './listening.ts';

/**
 * Serves the figures of a process for Prometheus at `/metrics` of an HTTP server of its own, and at `/healthz` that it lives. Throws
 * `CONFIG_INVALID` if the address cannot be used. Ended by `await using`.
 * @param where as given; if omitted, there is no server
 * @param text the figures now
 */
export async function serveMetrics(io: Io, where: string | undefined, text: () => string) {
  if (where === undefined) return undefined;
  const address = parseAddress(where, '--metrics');
  const isPrivate = isLoopback(address.host);
  const bounded = createBoundedServer(({ url, method, headers }, response) => {
    // Against DNS rebinding: a page in a browser on this machine could reach it under a foreign name, which the browser sends as the host.
    const isForeign = isPrivate && headers.host !== undefined && !isLoopback(hostOf(headers.host) ?? '');
    if (isForeign && url !== '/healthz') answer(response, 403, 'ask for 127.0.0.1 or localhost\n');
    else if (method !== 'GET' && method !== 'HEAD') answer(response, 405, 'only GET\n');
    else if (url === '/metrics') answerMetrics(response, text);
    else if (url === '/healthz') answer(response, 200, 'ok\n');
    else answer(response, 404, 'metrics are at /metrics\n');
  }, undefined);
  const bound = await listen(bounded.server, address, `--metrics ${where}`);
  io.err(`metrics at ${rootOf(bound, undefined)}metrics`);
  return { [Symbol.asyncDispose]: () => close(bounded) };
}

/** A store that cannot be read must not end a process that only reports on it. */
function answerMetrics(response: ServerResponse, text: () => string): void {
  try {
    answer(response, 200, text());
  } catch (error) {
    answer(response, 503, `${messageOf(error)}\n`);
  }
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text);
}
