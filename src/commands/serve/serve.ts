import { aborted } from '../../lib/deadline.ts';
import { createLog } from '../../lib/logger.ts';
import { serveStdio } from '../../mcp/stdio.ts';
import { createServer, type ServerOptions } from '../../server.ts';
import { controlTools, noteTools, tools } from '../../tools/index.ts';
import { createLogbook } from '../control/tool-logbook.ts';
import {
  exitCodes,
  interruptionOf,
  type Io,
  logLevel,
  namesStore,
  pageUrl,
  type Std,
  storePath,
} from '../shared/io.ts';
import { createStoreReader } from '../shared/store-reader.ts';
import type { HttpArguments } from './serve-http.ts';

export interface ServeArguments extends Omit<HttpArguments, 'http'> {
  /** `[HOST:]PORT`; without it the server uses stdio. */
  http?: string;
  /** Whether to leave out even the tools that write to the logbook. */
  readOnly: boolean;
  /** How many runs the server's clients may have in progress at once. */
  maxRuns?: number;
}

/** A stdio server that does not let its client control anything. */
export const plainServer = { allowControl: false, readOnly: false, insecureLocal: false, behindProxy: false };

/** `swf-mcp serve`: runs an MCP server until its client or a signal ends it. Returns the exit code. */
export function serveCommand(io: Io, args: ServeArguments, std: Pick<Std, 'stdin' | 'stdout'>) {
  if (args.http !== undefined) return serveOverHttp(io, { ...args, http: args.http });
  return withOptions(io, args, async (options) => {
    io.err(`swf-mcp ${io.version}: MCP server on stdio, store ${storePath(io)}`);
    if ('isTTY' in std.stdin && std.stdin.isTTY === true)
      io.err(
        'waiting for an MCP client on standard input; to use swf-mcp by hand, see swf-mcp status, list or --help; Ctrl-C exits',
      );
    // Before the first answer, the client's waiting time matters more than memory. From then on, save
    // memory, since the heap grows with each call.
    const onCall = () => () => io.staysForLong();
    return serveOnStdio(io, { ...options, onCall, namesStore: namesStore(io) }, std);
  });
}

/** Like `serveCommand`, but over HTTP, for callers without standard input. */
export const serveOverHttp = (io: Io, args: ServeArguments & { http: string }) =>
  withOptions(io, args, async (options) => {
    io.staysForLong();
    // Loaded on demand, so that a stdio server does not load it.
    const { serveHttp } = await import('./serve-http.ts');
    return serveHttp(io, args, options);
  });

async function withOptions(io: Io, args: ServeArguments, serve: (options: ServerOptions) => Promise<number>) {
  const { allowControl, maxRuns, readOnly } = args;
  using reader = createStoreReader(io, { isServer: true });
  return await serve({
    version: io.version,
    tools: [...tools, ...(readOnly ? [] : noteTools), ...(allowControl ? controlTools : [])],
    queries: reader.queries,
    past: reader.past,
    held: reader.held,
    // Like the HTTP code, the control tools are loaded only when needed, since they load the agents too.
    control: allowControl ? (await import('../control/tool-control.ts')).createControl(io, maxRuns) : undefined,
    logbook: readOnly ? undefined : createLogbook(io),
    page: pageUrl(io),
    services: async () => (await import('../control/tool-services.ts')).createServices(io),
    monitorPage: async () => (await import('./hosted-page.ts')).readHostedPage(io.packageFolder),
    log: createLog(logLevel(io), io.err),
  });
}

/** Serves one client until it closes stdin or a signal arrives: the server must not outlive the client. */
async function serveOnStdio(io: Io, options: ServerOptions, std: Pick<Std, 'stdin' | 'stdout'>) {
  const stopping = new AbortController();
  const { ended, close } = serveStdio(createServer({ ...options, stopping: stopping.signal }), std, options.log);
  await Promise.race([ended, aborted(interruptionOf(io))]);
  stopping.abort();
  await close();
  return exitCodes.fine;
}
