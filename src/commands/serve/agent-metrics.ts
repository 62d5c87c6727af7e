import type { ServerResponse } from 'node:http';

import { schemaHistory } from '../../db/migrations/index.ts';
import { newestVersion } from '../../db/opening/schema-version.ts';
import { stepBounds, type Traffic } from '../../exchange/traffic.ts';
import { agentMetricsText } from '../../http/agent-metrics.ts';
import { messageOf } from '../../lib/errors.ts';
import type { RunningAgent } from '../../remote/running-agent.ts';
import type { Io } from '../shared/io.ts';
import { close, createBoundedServer, listen, parseAddress, rootOf } from './listening.ts';

export interface ServedMetrics {
  onStart: (agent: RunningAgent) => void;
  close: () => Promise<void>;
}

/**
 * Tells the figures of an agent at `/metrics` of an HTTP server of its own, for Prometheus, and at `/healthz` that the process lives. Throws
 * `CONFIG_INVALID` for an address that cannot be.
 * @param where as it was given; left out, there is no server
 */
export async function serveMetrics(io: Io, where: string | undefined, traffic: Traffic): Promise<ServedMetrics> {
  let agent: RunningAgent | undefined;
  const onStart = (started: RunningAgent): void => void (agent = started);
  if (where === undefined) return { onStart, close: () => Promise.resolve() };
  const address = parseAddress(where, '--metrics');
  const bounded = createBoundedServer(({ url, method }, response) => {
    if (method !== 'GET' && method !== 'HEAD') answer(response, 405, 'only GET\n');
    else if (url === '/metrics') answerMetrics(response, () => textOf(io.version, traffic, agent));
    else if (url === '/healthz') answer(response, 200, 'ok\n');
    else answer(response, 404, 'metrics are at /metrics\n');
  }, undefined);
  const bound = await listen(bounded.server, address, `--metrics ${where}`);
  io.err(`metrics at ${rootOf(bound, undefined)}metrics`);
  return { onStart, close: () => close(bounded) };
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

function textOf(version: string, traffic: Traffic, agent: RunningAgent | undefined): string {
  const { sent, received, refused, steps } = traffic;
  const { unsent, behind, slots, offDuty } = agent?.figures() ?? {
    unsent: { count: 0, oldest: undefined },
    behind: {},
    slots: {},
    offDuty: {},
  };
  return agentMetricsText({
    version,
    schema: newestVersion(schemaHistory),
    isConnected: traffic.isConnected,
    reconnects: traffic.reconnects,
    sent,
    received,
    refused,
    unsent,
    behind,
    slots,
    offDuty,
    steps: { bounds: stepBounds, within: steps.within, count: steps.count, sum: steps.seconds },
  });
}
