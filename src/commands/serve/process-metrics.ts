import type { ServerResponse } from 'node:http';

import { messageOf, SwfError } from '../../lib/errors.ts';
import type { Io } from '../shared/io.ts';
import { close, createBoundedServer, listen, parseAddress, rootOf } from './listening.ts';

/**
 * Tells the figures of a process at `/metrics` of an HTTP server of its own, for Prometheus, and at `/healthz` that it lives. Throws
 * `CONFIG_INVALID` for an address that cannot be. Returns how to end it.
 * @param where as it was given; left out, there is no server
 * @param text the figures now
 */
export async function serveMetrics(
  io: Io,
  where: string | undefined,
  text: () => string,
): Promise<() => Promise<void>> {
  if (where === undefined) return () => Promise.resolve();
  const address = parseAddress(where, '--metrics');
  const bounded = createBoundedServer(({ url, method }, response) => {
    if (method !== 'GET' && method !== 'HEAD') answer(response, 405, 'only GET\n');
    else if (url === '/metrics') answerMetrics(response, text);
    else if (url === '/healthz') answer(response, 200, 'ok\n');
    else answer(response, 404, 'metrics are at /metrics\n');
  }, undefined);
  const bound = await listen(bounded.server, address, `--metrics ${where}`);
  io.err(`metrics at ${rootOf(bound, undefined)}metrics`);
  return () => close(bounded);
}

/** A store that cannot be read ends no process that only tells of it. */
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

/** A port that is taken may be that of the process before, which still ends. */
export function asPassing(error: unknown): unknown {
  const isTaken =
    error instanceof SwfError && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'EADDRINUSE';
  return isTaken
    ? new SwfError('AGENT_IN_USE', `${error.message}, or wait for the agent that was there before`)
    : error;
}
