import { Transform } from 'node:stream';

import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { ErrorCode } from '@modelcontextprotocol/sdk/types.js';

import { createLog } from '../../lib/logger.ts';
import { createServer, type ServerOptions } from '../../server.ts';
import { controlTools, noteTools, tools } from '../../tools/index.ts';
import type { Logbook } from '../../tools/shared/services.ts';
import { exitCodes, type Io, logLevel, namesStore, pageUrl, type Std, storePath } from '../shared/io.ts';
import { createStoreReader } from '../shared/store-reader.ts';
import type { HttpArguments } from './serve-http.ts';

export interface ServeArguments extends Omit<HttpArguments, 'http'> {
  /** `[HOST:]PORT`; without it the server speaks on stdio. */
  http?: string;
  /** Whether not even the logbook can be written. */
  readOnly: boolean;
  /** Runs that its clients may have under way at once. */
  maxRuns?: number;
}

/** A server on stdio that lets no client control anything. */
export const plainServer = { allowControl: false, readOnly: false, insecureLocal: false, behindProxy: false };

/** `swf-mcp serve`: an MCP server, until its client or a signal ends it. Returns the exit code. */
export function serveCommand(io: Io, args: ServeArguments, std: Pick<Std, 'stdin' | 'stdout'>) {
  const { http } = args;
  if (http !== undefined) return serveOverHttp(io, { ...args, http });
  return withOptions(io, args, async (options) => {
    io.err(`swf-mcp ${io.version}: MCP server on stdio, store ${storePath(io)}`);
    if ('isTTY' in std.stdin && std.stdin.isTTY === true)
      io.err(
        'waiting for an MCP client on standard input; for use by hand see swf-mcp status, list or --help; Ctrl-C ends this',
      );
    return serveStdio(io, { ...options, namesStore: namesStore(io) }, std);
  });
}

/** The same over HTTP, for callers without standard input. */
export const serveOverHttp = (io: Io, args: ServeArguments & { http: string }) =>
  withOptions(io, args, async (options) => {
    // Loaded on demand: the server on stdio starts without it.
    const { serveHttp } = await import('./serve-http.ts');
    return serveHttp(io, args, options);
  });

async function withOptions(io: Io, args: ServeArguments, serve: (options: ServerOptions) => Promise<number>) {
  const { allowControl, maxRuns, readOnly } = args;
  io.staysForLong();
  using reader = createStoreReader(io, { isServer: true });
  return await serve({
    version: io.version,
    tools: [...tools, ...(readOnly ? [] : noteTools), ...(allowControl ? controlTools : [])],
    queries: reader.queries,
    past: reader.past,
    held: reader.held,
    // Loaded on demand, like HTTP: the agents come along with it.
    control: allowControl ? (await import('../control/tool-control.ts')).createControl(io, maxRuns) : undefined,
    logbook: readOnly ? undefined : laterLogbook(io),
    page: pageUrl(io),
    services: async () => (await import('../control/tool-services.ts')).createServices(io),
    monitorPage: async () => (await import('./hosted-page.ts')).readHostedPage(io.packageFolder),
    log: createLog(logLevel(io), (line) => io.err(line)),
  });
}

/** The logbook of the store; its writer is loaded at the first entry. */
function laterLogbook(io: Io): Logbook {
  const loaded = async () => (await import('../logbook/logbook.ts')).createLogbook(io);
  return {
    note: async (request) => (await loaded()).note(request),
    quality: async (request) => (await loaded()).quality(request),
    seen: async (alarm, request) => (await loaded()).seen(alarm, request),
  };
}

/** How many characters of a fault to log. */
const shownFault = 300;

/** How many lines of one kind to log per minute: a client that floods the server must not flood the log. */
const linesAMinute = 10;

/** Writes lines, and of too many in a minute how many were left out. */
function seldom(tell: (line: string) => void): (line: string) => void {
  let told = 0;
  let leftOut = 0;
  let since = -Infinity;
  return (line) => {
    const now = performance.now();
    if (now - since > 60_000) {
      if (leftOut > 0) tell(`${leftOut} more lines like the last ones were left out`);
      [told, leftOut, since] = [0, 0, now];
    }
    if (told < linesAMinute) tell(line);
    else leftOut += 1;
    told += 1;
  };
}

/** JSON-RPC's code and words for a line that is not JSON or not one of its messages; undefined for other faults. */
function faultOf({ name }: Error): [code: ErrorCode, message: string] | undefined {
  if (name === 'SyntaxError') return [ErrorCode.ParseError, 'the line is not JSON'];
  return name.endsWith('ZodError')
    ? [
        ErrorCode.InvalidRequest,
        'the line is not a JSON-RPC message: an object with jsonrpc, method, and id for a request',
      ]
    : undefined;
}

/** The SDK ends a session whose line is longer than 10 MiB. */
const maxLineBytes = 10_000_000;

/** When stdin, the client's end, closes, the server must not outlive it. */
async function serveStdio(io: Io, options: ServerOptions, { stdin, stdout }: Pick<Std, 'stdin' | 'stdout'>) {
  const stopping = new AbortController();
  const server = createServer({ ...options, stopping: stopping.signal });
  const warn = seldom((message) => options.log.write({ level: 'WARNING', message }));
  const refuse = (code: number, message: string, id: string | number | null = null) =>
    io.out(`${JSON.stringify({ jsonrpc: '2.0', id, error: { code, message } })}\n`);
  const lines = withoutLongLines(maxLineBytes, (id) => {
    const message = `the line is longer than ${maxLineBytes / 1_000_000} MB and was skipped; send less in one call`;
    warn(`invalid input from the client: ${message}`);
    refuse(ErrorCode.InvalidRequest, message, id);
  });
  const ended = new Promise<void>((resolve) => {
    server.onclose = resolve;
    lines.once('end', resolve);
    stdin.once('close', () => lines.end());
    stdin.once('error', () => resolve());
    io.onInterrupt(() => resolve());
  });
  server.onerror = (error) => {
    warn(`invalid input from the client: ${error.message.replaceAll(/\s+/g, ' ').slice(0, shownFault)}`);
    const fault = faultOf(error);
    if (fault !== undefined) refuse(...fault);
  };
  stdin.pipe(lines);
  await server.connect(new StdioServerTransport(lines, stdout));
  await ended;
  stdin.unpipe(lines);
  stdin.pause();
  stopping.abort();
  await server.close();
  return exitCodes.fine;
}

/** How much of a dropped line's begin and end to look at for the id of its request. */
const endCharacters = 300;

/** The id of a request, as JSON, where it is the first or the last key of a line. */
const idPatterns = [
  /^\{(?:"jsonrpc":"2\.0",)?"id":(\d{1,15}|"[^"\\]{1,100}")[,}]/,
  /,"id":(\d{1,15}|"[^"\\]{1,100}")(?:,"jsonrpc":"2\.0")?\}\s*$/,
];

/** Passes lines of at most `most` bytes on, and drops longer ones. @param onDropped called for each of those, with the id of its request if it is found */
export function withoutLongLines(most: number, onDropped: (id: string | number | null) => void) {
  let held: Buffer[] = [];
  let length = 0;
  let [head, tail] = ['', ''];
  const hold = (part: Buffer) => {
    length += part.length;
    if (length <= most) held.push(part);
    else {
      if (head === '') head = Buffer.concat([...held, part]).toString('utf8', 0, endCharacters);
      tail = (tail + part.subarray(-endCharacters).toString('utf8')).slice(-endCharacters);
      held = [];
    }
  };
  const endLine = (): Buffer => {
    const line = Buffer.concat(held);
    if (length > most) {
      const [, id = 'null'] = idPatterns[0]?.exec(head) ?? idPatterns[1]?.exec(tail) ?? [];
      onDropped(JSON.parse(id) as string | number | null);
    }
    [held, length, head, tail] = [[], 0, '', ''];
    return line;
  };
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      let rest = chunk;
      for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
        hold(rest.subarray(0, end + 1));
        rest = rest.subarray(end + 1);
        this.push(endLine());
      }
      hold(rest);
      done();
    },
    flush(done) {
      endLine();
      done();
    },
  });
}
