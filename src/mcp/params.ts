import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { Protocol, type RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import {
  ErrorCode,
  InitializeRequestParamsSchema,
  type ServerNotification,
  type ServerRequest,
  type ServerResult,
} from '@modelcontextprotocol/sdk/types.js';
import * as z from 'zod';

/** A protocol error in our words alone: the SDK's own class prefixes its name and code, and clients do so again. */
export class ProtocolFault extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** An error for a client's wrong params. */
export const invalidParams = (message: string) => new ProtocolFault(ErrorCode.InvalidParams, message);

/** A list may have params. It is sent whole, so no cursor is right. */
const list = { schema: z.looseObject({ cursor: z.string().optional() }).default({}), takes: 'such as {}' };

/** Requests whose params a client may have wrong, each with words about right ones. */
const wanted = {
  initialize: {
    schema: InitializeRequestParamsSchema,
    takes: 'such as {"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"NAME","version":"1.0"}}',
  },
  'tools/list': list,
  'tools/call': {
    schema: z.looseObject({ name: z.string(), arguments: z.unknown().optional() }),
    takes:
      'with the name of a tool and its arguments, such as {"name":"get_workflow_monitor","arguments":{"execution_id":"latest"}}',
  },
  'resources/list': list,
  'resources/templates/list': list,
  'prompts/list': list,
  'resources/read': {
    schema: z.looseObject({ uri: z.string() }),
    takes: 'such as {"uri":"swf://executions/latest/report"}',
  },
  'prompts/get': {
    schema: z.looseObject({ name: z.string(), arguments: z.record(z.string(), z.string()).optional() }),
    takes: 'such as {"name":"NAME","arguments":{}}, with a name of prompts/list',
  },
  'completion/complete': {
    schema: z.looseObject({ argument: z.looseObject({ name: z.string(), value: z.string() }) }),
    takes:
      'such as {"ref":{"type":"ref/resource","uri":"swf://executions/{execution_id}/report"},"argument":{"name":"execution_id","value":"stf"}}',
  },
} as const;

export type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

type Params<Method extends keyof typeof wanted> = z.infer<(typeof wanted)[Method]['schema']>;

/** Answers a request with checked params. The SDK's own schema would report wrong params as an internal error, with a dump. */
export function onRequest<Method extends keyof typeof wanted>(
  server: Server,
  method: Method,
  handle: (params: Params<Method>, extra: Extra) => ServerResult | Promise<ServerResult>,
) {
  const { schema, takes } = wanted[method];
  // The SDK's server would check calls of tools by its own schema first.
  const setHandler: typeof server.setRequestHandler = Protocol.prototype.setRequestHandler.bind(server);
  setHandler(z.object({ method: z.literal(method), params: z.unknown().optional() }), (request, extra) => {
    const { data } = schema.safeParse(request.params);
    if (data === undefined) throw invalidParams(`${method} takes params ${takes}`);
    if (method.endsWith('/list') && (data as Params<'tools/list'>).cursor !== undefined)
      throw invalidParams(`${method} has only one page; leave cursor out`);
    return handle(data as Params<Method>, extra);
  });
}

/** Begins a session as the SDK does, in a method that it keeps to itself, with checked params. */
export function onInitialize(server: Server) {
  const own = server as unknown as { _oninitialize: (request: object) => Promise<ServerResult> };
  onRequest(server, 'initialize', (params) => own._oninitialize({ method: 'initialize', params }));
}
