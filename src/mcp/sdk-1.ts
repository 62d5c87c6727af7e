import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  ErrorCode,
  InitializeRequestParamsSchema,
  type RequestId,
  type ServerResult,
} from '@modelcontextprotocol/sdk/types.js';
import * as z from 'zod';

import type { McpServer, Post, Wire } from './mcp-server.ts';

/** A server built with SDK 1.x, for revisions up to 2025-11-25. */
export function serverOf({ info, capabilities, instructions, answer }: McpServer) {
  const server = new Server(info, { capabilities, instructions });
  onInitialize(server);
  // This handles all other methods. The SDK's own handlers would report invalid params as internal errors.
  server.fallbackRequestHandler = ({ method, params }, { signal, _meta, sendNotification }) =>
    answer(method, params, {
      signal,
      clientName: server.getClientVersion()?.name,
      progressToken: _meta?.progressToken,
      notify: (name, about) => sendNotification({ method: name, params: about }),
    });
  return server;
}

const paramsOfInitialize =
  '{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"NAME","version":"1.0"}}';

/** Begins a session with checked params, as the SDK does in a private method. */
function onInitialize(server: Server) {
  const own = server as unknown as { _oninitialize: (request: object) => Promise<ServerResult> };
  server.setRequestHandler(
    z.object({ method: z.literal('initialize'), params: z.unknown().optional() }),
    ({ method, params }) => {
      const { data } = InitializeRequestParamsSchema.safeParse(params);
      if (data === undefined)
        throw Object.assign(new Error(`initialize takes params such as ${paramsOfInitialize}`), {
          code: ErrorCode.InvalidParams,
        });
      return own._oninitialize({ method, params: data });
    },
  );
}

/** Serves one client over a wire. */
export async function connect(mcp: McpServer, wire: Wire, onError: (error: Error) => void) {
  const server = serverOf(mcp);
  server.onerror = onError;
  await server.connect(wire);
  return server;
}

/** Answers a POST: a message, or a batch of them. */
export async function answerPost(mcp: McpServer, { request, response, body, turn, over, cancelled }: Post) {
  const { StreamableHTTPServerTransport } = await import('@modelcontextprotocol/sdk/server/streamableHttp.js');
  if (over.aborted) return;
  const server = serverOf(mcp);
  const transport = new StreamableHTTPServerTransport({});
  over.addEventListener('abort', () => {
    void transport.close();
    void server.close();
  });
  // The client has cancelled the call, so the call and the stream end. The call ends with an error, since the
  // client may have cancelled it in another session and still be waiting in this one.
  cancelled.addEventListener('abort', () => {
    const error = { code: -32_800, message: 'the call was cancelled by its client' };
    const { id } = body as { id: RequestId };
    void transport.send({ jsonrpc: '2.0', id, error }).finally(() => response.end());
  });
  await server.connect(transport);
  const hear = transport.onmessage;
  // Serve other clients between the messages of a batch, and do nothing more for a client that has gone.
  const hearInTurn = async (...said: Parameters<NonNullable<typeof hear>>) => {
    await turn();
    if (!over.aborted) hear?.(...said);
  };
  transport.onmessage = (...said) => void hearInTurn(...said);
  await transport.handleRequest(request, response, body);
}
