import type { NodeIncomingMessageLike } from '@modelcontextprotocol/node';
import {
  type CacheHint,
  CLIENT_INFO_META_KEY,
  createMcpHandler,
  Server,
  type ServerOptions,
} from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import * as z from 'zod';

import type { McpServer, Post, Wire } from './mcp-server.ts';

/** For answers that change only with the server's version: clients may cache them for five minutes. */
const forAll: CacheHint = { ttlMs: 300_000, cacheScope: 'public' };

/** All other answers are about the store, and clients must not cache them. */
const cacheHints: NonNullable<ServerOptions['cacheHints']> = {
  'server/discover': forAll,
  'prompts/list': forAll,
  'resources/templates/list': forAll,
  // Depends on the token.
  'tools/list': { ...forAll, cacheScope: 'private' },
};

/**
 * Skips the SDK's own check, which would dump the details of invalid call parameters into its error, and would
 * copy each answer.
 */
class UncheckedCalls extends Server {
  protected override _wrapHandler(...[method, handler]: Parameters<Server['_wrapHandler']>) {
    return method === 'tools/call' ? handler : super._wrapHandler(method, handler);
  }
}

/** A server made with SDK 2.x, for protocol revision 2026-07-28. */
function serverOf({ info, capabilities, instructions, methods, answer }: McpServer) {
  const server = new UncheckedCalls(info, { capabilities, instructions, cacheHints });
  for (const method of methods)
    server.setRequestHandler(
      method,
      { params: z.unknown() },
      (params, { mcpReq: { signal, envelope, _meta, notify } }) =>
        answer(method, params, {
          signal,
          clientName: nameIn(envelope),
          progressToken: _meta?.progressToken,
          notify: (name, about) => notify({ method: name, params: about }),
        }),
    );
  return server;
}

/** The name of the client in the `_meta` of a request, which the SDK has checked. */
const nameIn = (meta: Record<string, unknown> = {}) =>
  (meta[CLIENT_INFO_META_KEY] as { name: string } | undefined)?.name;

/** Serves one client over `wire`. */
export function connect(mcp: McpServer, wire: Wire, onError: (error: Error) => void) {
  return serveStdio(
    async ({ era }) => {
      // A client may ask which revisions are served, and then begin with the handshake.
      const server =
        era === 'legacy' ? ((await import('./sdk-1.ts')).serverOf(mcp) as unknown as Server) : serverOf(mcp);
      server.onerror = onError;
      return server;
    },
    { transport: wire, onerror: onError },
  );
}

/** Answers a POST. */
export async function answerPost(mcp: McpServer, { request, response, body, turn, over, cancelled }: Post) {
  // Loaded on demand: on stdio, loading this module would take a sixth of the startup time.
  const { toNodeHandler } = await import('@modelcontextprotocol/node');
  await turn();
  if (over.aborted || cancelled.aborted) return;
  const handler = createMcpHandler(() => serverOf(mcp), { legacy: 'reject' });
  cancelled.addEventListener('abort', () => void handler.close());
  await toNodeHandler(handler)(request as NodeIncomingMessageLike, response, body);
}
