import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { createApp } from '../../http/app.ts';
import { isLoopback } from '../../http/callers.ts';
import { createLongCalls } from '../../http/long-calls.ts';
import { createMetrics } from '../../http/metrics.ts';
import { aborted } from '../../lib/deadline.ts';
import { onceFor } from '../../lib/once-for.ts';
import { createServer, type ServerOptions } from '../../server.ts';
import { noteTools } from '../../tools/index.ts';
import { callTool } from '../../tools/run-tool.ts';
import { exitCodes, interruptionOf, type Io, namesStore, storePath } from '../shared/io.ts';
import { openBrowser } from '../shared/start-process.ts';
import { type Access, type AccessArguments, readAccess } from './http-access.ts';
import { parseAddress, serveAt } from './listening.ts';
import type { LongCallThreadData } from './long-call-thread.ts';

export interface HttpArguments extends AccessArguments {
  /** The part of the page to open in the user's browser. */
  open?: string | undefined;
}

/**
 * Maximum JavaScript memory for a long call, in megabytes: a call that needs more ends its thread, not the
 * server.
 */
const threadMegabytes = 512;

/**
 * Serves MCP over Streamable HTTP until a signal arrives; running calls are answered before it ends. Returns
 * the exit code.
 */
export async function serveHttp(io: Io, args: HttpArguments, options: ServerOptions) {
  const address = parseAddress(args.http, '--http');
  const { tokens, tls } = readAccess(io, address.host, args);
  // Without tokens, clients are unknown, so no logbook entry could be attributed to anyone.
  const mayWrite = tokens.length > 0 || args.insecureLocal;
  const logbook = mayWrite ? options.logbook : undefined;
  const stopping = new AbortController();
  const metrics = createMetrics(io.version);
  const longCalls = createLongCalls(() => startThread(io));
  const named = namesStore(io);
  const app = createApp({
    createServer: (client) =>
      createServer({
        ...options,
        logbook,
        tools: toolsByScope(options.tools)[mayWrite ? client.scope : 'read'],
        // The name that a client gives itself proves nothing.
        caller: client.name ?? 'mcp',
        fieldsAlone: client.fieldsAlone,
        namesStore: client.isHere && !args.behindProxy ? named : undefined,
        // Clients' calls take turns.
        callTool: async (tool, toolArgs, context) =>
          tool.takesLong?.((toolArgs ?? {}) as Record<string, unknown>) === true
            ? longCalls.call(client.key, { tool: tool.name, args: toolArgs }, context.signal)
            : callTool(tool, toolArgs, context),
        stopping: stopping.signal,
        onCall: (tool) => metrics.beginCall(tool),
      }),
    queries: options.queries,
    markSeen: logbook && ((alarm, by) => logbook.seen(alarm, by)),
    metrics,
    tokens,
    anyHost: (!isLoopback(address.host) || args.behindProxy) && tokens.length > 0,
    behindProxy: args.behindProxy,
    pageFolder: join(io.packageFolder, 'dist', 'web'),
    log: options.log,
  });
  const served = await serveAt(app, address, `--http ${args.http}`, tls);
  tell(io, args, served.root, tokens);
  await aborted(interruptionOf(io));
  stopping.abort();
  await served[Symbol.asyncDispose]();
  longCalls.close();
  return exitCodes.fine;
}

/** Created once, since the tools' descriptions are cached for each list of tools. */
const toolsByScope = onceFor((all: ServerOptions['tools']) => ({
  control: all,
  note: all.filter((tool) => tool.writes === undefined || noteTools.includes(tool)),
  read: all.filter((tool) => tool.writes === undefined),
}));

function startThread(io: Io) {
  const workerData: LongCallThreadData = { path: storePath(io), version: io.version, program: io.self().at(-1) ?? '' };
  return new Worker(new URL('./long-call-thread.js', import.meta.url), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: threadMegabytes },
  });
}

/** A browser cannot open an address that stands for all of this machine's addresses. */
const anyAddress = /(?<=\/\/)(?:0\.0\.0\.0|\[::\])(?=:)/;

/** Prints where the server is, and who may use it. */
function tell(io: Io, { allowControl, open }: HttpArguments, root: string, tokens: Access['tokens']) {
  const how = tokens.length === 0 ? '' : tokens.length === 1 ? ', with a token' : `, with ${tokens.length} tokens`;
  io.err(`swf-mcp ${io.version}: MCP server at ${root}mcp, store ${storePath(io)}${how}; page at ${root}`);
  if (tokens.length === 0)
    io.err(
      `WARNING every user of this machine can use this server${allowControl ? ', and start and stop runs' : ''}; set SWF_MCP_TOKEN to keep others out`,
    );
  if (open !== undefined) openBrowser(io, root.replace(anyAddress, '127.0.0.1') + open);
}
