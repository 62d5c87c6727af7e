import * as z from 'zod';

import { uncompiled } from '../domain/fields.ts';
import { rpcCodes, invalidParams, type McpRequest, ProtocolFault } from './mcp-server.ts';

/** A list request may have params. Lists are sent whole, so no cursor is valid. */
const list = { schema: z.looseObject({ cursor: z.string().optional() }).default({}), takes: 'such as {}' };

/** Requests whose params may be wrong, each with a description of valid params. */
const wanted = {
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
    takes: 'such as {"name":"NAME","arguments":{}}, with a name from prompts/list',
  },
  'completion/complete': {
    schema: z.looseObject({ argument: z.looseObject({ name: z.string(), value: z.string() }) }),
    takes:
      'such as {"ref":{"type":"ref/resource","uri":"swf://executions/{execution_id}/report"},"argument":{"name":"execution_id","value":"stf"}}',
  },
} as const;

type Method = keyof typeof wanted;
type Answer<Params> = (params: Params, request: McpRequest) => object | Promise<object>;

/** For each method, the function that answers it. */
export type Methods = { [Name in Method]: Answer<z.infer<(typeof wanted)[Name]['schema']>> };

const isMethod = (method: string): method is Method => Object.hasOwn(wanted, method);

/**
 * The methods, with checked params. The SDKs' own schemas would report wrong params as internal errors,
 * with a dump.
 */
export const answering = (answers: Methods) => ({
  methods: Object.keys(wanted),
  async answer(method: string, given: unknown, request: McpRequest) {
    if (!isMethod(method)) throw new ProtocolFault(rpcCodes.unknownMethod, 'Method not found');
    const { schema, takes } = wanted[method];
    const { data } = schema.safeParse(given, uncompiled);
    if (data === undefined) throw invalidParams(`${method} takes params ${takes}`);
    if (method.endsWith('/list') && data['cursor'] !== undefined)
      throw invalidParams(`${method} has only one page; leave cursor out`);
    return (await (answers[method] as Answer<typeof data>)(data, request)) as Record<string, unknown>;
  },
});
