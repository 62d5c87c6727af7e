import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';

import { createLog } from '../log.ts';
import { createServer } from '../server.ts';
import { tools } from '../tools/index.ts';
import { type Io, logLevel, storePath } from './io.ts';
import { createStoreReader } from './reader.ts';

/**
 * `swf-mcp serve`: an MCP server on stdio, until its client closes the connection or a signal comes. Returns the exit code.
 * @param stdin the client's end: when it closes, the server must not outlive it
 */
export async function serveCommand(io: Io, stdin: NodeJS.ReadableStream): Promise<number> {
  const path = storePath(io);
  io.err(`swf-mcp ${io.version}: MCP server on stdio, store ${path}`);
  const reader = createStoreReader(path);
  const server = createServer({
    version: io.version,
    tools,
    queries: reader.queries,
    log: createLog(logLevel(io), (line) => io.err(line)),
  });
  const ended = new Promise<void>((resolve) => {
    server.onclose = resolve;
    for (const event of ['end', 'close', 'error']) stdin.once(event, () => resolve());
    io.onInterrupt(() => resolve());
  });
  await server.connect(new StdioServerTransport());
  await ended;
  await server.close();
  reader.close();
  return 0;
}
