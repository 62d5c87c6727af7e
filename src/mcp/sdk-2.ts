import { toNodeHandler } from '@modelcontextprotocol/node';
import {
  type CacheHint,
  CLIENT_INFO_META_KEY,
  createMcpHandler,
  Server,
  type Transport,
} from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';

import { type McpServer, noValidator, type Post, type Wire } from './mcp-server.ts';

/** What stays the same as long as the server runs may be kept by clients for a while; it changes with the version. */
const aWhile = 300_000;
const forAll: CacheHint = { ttlMs: aWhile, cacheScope: 'public' };

/** The other answers are about the store, and are never kept. */
const hints: Readonly<Record<string, CacheHint>> = {
  'server/discover': forAll,
  'prompts/list': forAll,
  'resources/templates/list': forAll,
  // By token.
  'tools/list': { ...forAll, cacheScope: 'private' },
};

/** The part of a request's `_meta` that names the client. */
type Envelope = Partial<Record<typeof CLIENT_INFO_META_KEY, { name: string }>>;

/** A server of SDK 2.x: revision 2026-07-28. */
function serverOf({ info, capabilities, instructions, answer }: McpServer) {
  const server = new Server(info, { capabilities, instructions, jsonSchemaValidator: noValidator, cacheHints: hints });
  // All methods but server/discover: the SDK's own handlers would check params first, and report wrong ones as an internal error.
  server.fallbackRequestHandler = async ({ method, params }, { mcpReq }) => ({
    ...(await answer(method, params, {
      signal: mcpReq.signal,
      clientName: (mcpReq.envelope as Envelope | undefined)?.[CLIENT_INFO_META_KEY]?.name,
      progressToken: mcpReq._meta?.progressToken,
      notify: (name, about) => mcpReq.notify({ method: name, params: about }),
    })),
    ...hints[method],
  });
  return server;
}

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

type Request = Parameters<ReturnType<typeof toNodeHandler>>[0];

/** Answers a POST. */
export async function answerPost(mcp: McpServer, { request, response, body, turn, over, cancelled }: Post) {
  await turn();
  if (over.aborted) return;
  const handler = createMcpHandler(() => serverOf(mcp), { legacy: 'reject' });
  cancelled.addEventListener('abort', () => void handler.close());
  await toNodeHandler(handler)(request as Request, response, body);
}
