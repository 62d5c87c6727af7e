import { Transform, type Writable } from 'node:stream';

import type { Log } from '../lib/logger.ts';
import { isObject } from '../lib/read-json.ts';
import { tried } from '../lib/tried.ts';
import { adapters, eraOf } from './era.ts';
import { jsonOfFields, type McpServer, rpcCodes, type Wire } from './mcp-server.ts';

/** How many characters of a fault to log. */
const shownFault = 300;

/** How many lines of one kind to log per minute: a client that floods the server must not flood the log. */
const linesAMinute = 10;

/** Writes at most `linesAMinute` lines per minute, and afterwards the number of lines that were left out. */
function seldom(tell: (line: string) => void): (line: string) => void {
  let told = 0;
  let leftOut = 0;
  let since = -Infinity;
  return (line) => {
    const now = performance.now();
    if (now - since > 60_000) {
      if (leftOut > 0) tell(`${leftOut} more such lines were left out`);
      [told, leftOut, since] = [0, 0, now];
    }
    if (told < linesAMinute) tell(line);
    else leftOut += 1;
    told += 1;
  };
}

/** Longer lines are dropped. */
const maxLineBytes = 10_000_000;

/**
 * Serves one client that sends lines of JSON, in the era of MCP to which its first message belongs. Returns a
 * promise that resolves when the client has gone, and a function that closes the connection.
 */
export function serveStdio(
  server: McpServer,
  { stdin, stdout }: { stdin: NodeJS.ReadableStream; stdout: Writable },
  log: Log,
) {
  const warn = seldom((fault) =>
    log.write({
      level: 'WARNING',
      message: `received an invalid message from the client: ${fault.replaceAll(/\s+/g, ' ').slice(0, shownFault)}`,
    }),
  );
  const send = (message: object) =>
    new Promise<void>((resolve) => stdout.write(`${jsonOf(message)}\n`, () => resolve()));
  const refuse = (code: number, message: string, id: string | number | null = null) => {
    warn(message);
    void send({ jsonrpc: '2.0', id, error: { code, message } });
  };
  const wire: Wire = { start: () => Promise.resolve(), send, close: () => Promise.resolve(wire.onclose?.()) };
  const lines = withoutLongLines(maxLineBytes, (id) =>
    refuse(
      rpcCodes.invalidRequest,
      `the line is longer than ${maxLineBytes / 1_000_000} MB and was skipped; send less in one call`,
      id,
    ),
  );
  const connectTo = async (message: object) => {
    const { connect } = await adapters[eraOf(message)]();
    return connect(server, wire, ({ message: fault }) => warn(fault));
  };
  let connection: ReturnType<typeof connectTo> | undefined;
  const hear = async (line: Buffer) => {
    const message = tried(() => JSON.parse(String(line)) as unknown);
    if (message === undefined) return refuse(rpcCodes.noJson, 'the line is not JSON');
    if (!isMessage(message))
      return refuse(
        rpcCodes.invalidRequest,
        'the line is not a JSON-RPC message: an object with jsonrpc, method, and id for a request',
      );
    connection ??= connectTo(message);
    await connection;
    wire.onmessage?.(message);
  };
  lines.on('data', (line: Buffer) => void hear(line));
  stdin.once('close', () => lines.end());
  stdin.pipe(lines);
  const ended = new Promise<unknown>((resolve) => {
    // The last message may still be waiting for its adapter to load.
    lines.once('end', () => void Promise.resolve(connection).then(() => setImmediate(resolve)));
    stdin.once('error', resolve);
  });
  return {
    ended,
    close: async () => {
      stdin.unpipe(lines);
      stdin.pause();
      await (await connection)?.close();
    },
  };
}

/** A message as JSON. An answer's fields reuse the JSON that was written for its text. */
function jsonOf(message: object) {
  const { result, ...envelope } = message as { result?: { structuredContent?: object; content: object[] } };
  const { structuredContent = {}, ...others } = result ?? {};
  const fields = jsonOfFields.get(structuredContent);
  if (fields === undefined) return JSON.stringify(message);
  return `{"result":{"structuredContent":${fields},${JSON.stringify(others).slice(1)},${JSON.stringify(envelope).slice(1)}`;
}

/** Whether a value is a JSON-RPC request, notification or response. */
function isMessage(value: unknown): value is object {
  const { jsonrpc, id, method, params = {}, result, error } = Object(value) as Record<string, unknown>;
  const isId = typeof id === 'string' || Number.isSafeInteger(id);
  if (jsonrpc !== '2.0' || (id !== undefined && !isId)) return false;
  if (typeof method === 'string') return isObject(params);
  return method === undefined && typeof (result ?? error) === 'object';
}

/** How many characters at each end of a dropped line to search for the request's id. */
const endCharacters = 300;

/** The id of a request, as JSON, if it is the first or the last key of a line. */
const idPatterns = [
  /^\{(?:"jsonrpc":"2\.0",)?"id":(\d{1,15}|"[^"\\]{1,100}")[,}]/,
  /,"id":(\d{1,15}|"[^"\\]{1,100}")(?:,"jsonrpc":"2\.0")?\}\s*$/,
];

/**
 * Passes on lines of at most `most` bytes, each as one chunk, and drops longer lines.
 * @param onDropped called for each dropped line, with the id of its request if that id is found
 */
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
  const endLine = () => {
    const line = Buffer.concat(held);
    if (length > most) {
      const [, id = 'null'] = idPatterns[0]?.exec(head) ?? idPatterns[1]?.exec(tail) ?? [];
      onDropped(JSON.parse(id) as string | number | null);
    }
    [held, length, head, tail] = [[], 0, '', ''];
    return line;
  };
  return new Transform({
    readableObjectMode: true,
    transform(chunk: Buffer, _encoding, done) {
      let rest = chunk;
      for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
        hold(rest.subarray(0, end + 1));
        rest = rest.subarray(end + 1);
        const line = endLine();
        if (line.length > 0) this.push(line);
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
