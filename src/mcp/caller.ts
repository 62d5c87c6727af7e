import type { Server } from '@modelcontextprotocol/sdk/server/index.js';

import { printable } from '../lib/printable.ts';

const longestName = 100;

/** The client by its own name; `mcp` if it gave none, as over HTTP, where each request is independent. */
export function callerOf(server: Server): string {
  const name = printable(server.getClientVersion()?.name ?? '')
    .trim()
    .slice(0, longestName);
  return name === '' ? 'mcp' : name;
}
