import { readFileSync } from 'node:fs';

import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { CallToolRequestSchema, type CallToolResult, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';

/**
 * The floor of the server's figures: the SDK's own server, which answers every call with given bytes (a
 * file has the result for each tool). This is the least code that a server on this SDK can have.
 */
const results = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Record<string, CallToolResult>;
const server = new Server({ name: 'bare', version: '0' }, { capabilities: { tools: {} } });
server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [] }));
server.setRequestHandler(CallToolRequestSchema, ({ params }) => results[params.name] ?? { content: [] });
await server.connect(new StdioServerTransport());
