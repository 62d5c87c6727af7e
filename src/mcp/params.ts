import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { Protocol, type RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import {
  InitializeRequestParamsSchema,
  type InitializeRequest,
  type InitializeResult,
  type ServerNotification,
  type ServerRequest,
  type ServerResult,
} from '@modelcontextprotocol/sdk/types.js';
import * as z from 'zod';

import { invalidParams } from './protocol-fault.ts';

/** A list may have params, and has no pages, so no cursor is right. */
const list = { schema: z.looseObject({ cursor: z.string().optional() }).default({}), example: '{}' };

/** Requests whose params a client may have wrong, each with an example. */
const wanted = {
  initialize: {
    schema: InitializeRequestParamsSchema,
    example: '{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"NAME","version":"1.0"}}',
  },
  'tools/list': list,
  'resources/list': list,
  'resources/templates/list': list,
  'prompts/list': list,
  'resources/read': {
    schema: z.looseObject({ uri: z.string() }),
    example: '{"uri":"swf://executions/latest/report"}',
  },
  'prompts/get': {
    schema: z.looseObject({ name: z.string(), arguments: z.record(z.string(), z.string()).optional() }),
    example: '{"name":"NAME","arguments":{}}, with a name of prompts/list',
  },
  'completion/complete': {
    schema: z.looseObject({ argument: z.looseObject({ name: z.string(), value: z.string() }) }),
    example:
      '{"ref":{"type":"ref/resource","uri":"swf://executions/{execution_id}/report"},"argument":{"name":"execution_id","value":"stf"}}',
  },
} as const;

type Params<Method extends keyof typeof wanted> = z.infer<(typeof wanted)[Method]['schema']>;

/** Answers a request with checked params. The SDK's own schema would report wrong params as an internal error, with a dump. */
export function onRequest<Method extends keyof typeof wanted>(
  server: Server,
  method: Method,
  handle: (
    params: Params<Method>,
    extra: RequestHandlerExtra<ServerRequest, ServerNotification>,
  ) => ServerResult | Promise<ServerResult>,
): void {
  const { schema, example } = wanted[method];
  const setHandler: typeof server.setRequestHandler = Protocol.prototype.setRequestHandler.bind(server);
  setHandler(z.object({ method: z.literal(method), params: z.unknown().optional() }), (request, extra) => {
    const { data } = schema.safeParse(request.params);
    if (data === undefined) throw invalidParams(`${method} takes params such as ${example}`);
    if (schema === list.schema && (data as Params<'tools/list'>).cursor !== undefined)
      throw invalidParams(`${method} is one page; leave cursor out`);
    return handle(data as Params<Method>, extra);
  });
}

/** The SDK's own handling of a first request, which it keeps to itself. */
interface Initializing {
  _oninitialize(request: InitializeRequest): Promise<InitializeResult>;
}

/** Begins a session as the SDK does, with checked params. */
export function onInitialize(server: Server): void {
  onRequest(server, 'initialize', (params) =>
    (server as unknown as Initializing)._oninitialize({ method: 'initialize', params }),
  );
}
