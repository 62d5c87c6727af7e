import { readFileSync } from 'node:fs';

import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { CallToolRequestSchema, type CallToolResult, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';

/**
 * The floor of the server's figures: the SDK's own server, which answers every call with bytes that it was given (a file with
 * the result of each tool): the least that anybody writes on this SDK.
 */
const results = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Record<string, CallToolResult>;
const server = new Server({ name: 'bare', version: '0' }, { capabilities: { tools: {} } });
server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [] }));
server.setRequestHandler(CallToolRequestSchema, ({ params }) => results[params.name] ?? { content: [] });
await server.connect(new StdioServerTransport());
