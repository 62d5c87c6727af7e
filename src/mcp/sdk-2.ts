import type { NodeIncomingMessageLike } from '@modelcontextprotocol/node';
import {
  type CacheHint,
  CLIENT_INFO_META_KEY,
  createMcpHandler,
  Server,
  type ServerOptions,
  type Transport,
} from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import * as z from 'zod';

import type { McpServer, Post, Wire } from './mcp-server.ts';

/** What stays the same as long as the server runs may be kept by clients for a while; it changes with the version. */
const aWhile = 300_000;
const forAll: CacheHint = { ttlMs: aWhile, cacheScope: 'public' };

/** The other answers are about the store, and are never kept. */
const cacheHints: NonNullable<ServerOptions['cacheHints']> = {
  'server/discover': forAll,
  'prompts/list': forAll,
  'resources/templates/list': forAll,
  // By token.
  'tools/list': { ...forAll, cacheScope: 'private' },
};

/** For requests of a server to its client, which ours never makes; the SDK would create a costly validator for every server. */
const jsonSchemaValidator = {
  getValidator: () => () => ({ valid: false as const, data: undefined, errorMessage: 'not used' }),
};

/** The SDK's own check of a call's params would report wrong ones with a dump, and copy each answer to check it. */
class UncheckedCalls extends Server {
  protected override _wrapHandler(...[method, handler]: Parameters<Server['_wrapHandler']>) {
    return method === 'tools/call' ? handler : super._wrapHandler(method, handler);
  }
}

/** A server of SDK 2.x: revision 2026-07-28. */
function serverOf({ info, capabilities, instructions, methods, answer }: McpServer) {
  const server = new UncheckedCalls(info, { capabilities, instructions, jsonSchemaValidator, cacheHints });
  for (const method of methods)
    server.setRequestHandler(
      method,
      { params: z.unknown() },
      (params, { mcpReq: { signal, envelope, _meta, notify } }) =>
        answer(method, params, {
          signal,
          clientName: (envelope as Envelope | undefined)?.[CLIENT_INFO_META_KEY]?.name,
          progressToken: _meta?.progressToken,
          notify: (name, about) => notify({ method: name, params: about }),
        }),
    );
  return server;
}

/** The part of a request's `_meta` that names the client. */
type Envelope = Partial<Record<typeof CLIENT_INFO_META_KEY, { name: string }>>;

/** Serves one client on a wire. */
export function connect(mcp: McpServer, wire: Wire, onError: (error: Error) => void) {
  return serveStdio(
    async ({ era }) => {
      // A client may ask for the revisions, and begin with the handshake none the less.
      if (era === 'legacy') return (await import('./sdk-1.ts')).serverOf(mcp) as unknown as Server;
      const server = serverOf(mcp);
      server.onerror = onError;
      return server;
    },
    { transport: wire as Transport, onerror: onError },
  );
}

/** Answers a POST. */
export async function answerPost(mcp: McpServer, { request, response, body, turn, over, cancelled }: Post) {
  // Loaded on demand: on stdio it would cost a sixth of a start.
  const { toNodeHandler } = await import('@modelcontextprotocol/node');
  await turn();
  if (over.aborted) return;
  const handler = createMcpHandler(() => serverOf(mcp), { legacy: 'reject' });
  cancelled.addEventListener('abort', () => void handler.close());
  await toNodeHandler(handler)(request as NodeIncomingMessageLike, response, body);
}
