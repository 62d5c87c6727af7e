import { constants } from 'node:zlib';

import compression from 'compression';
import type { Request, Response } from 'express';

import { adapters, eraOf } from '../mcp/era.ts';
import type { McpServer } from '../mcp/mcp-server.ts';
import type { Caller } from './callers.ts';
import { createCallLimits, type Turn } from './calls.ts';
import { callerOf, clientOf, isOfThisMachine, refuse } from './guard.ts';

export interface Client extends Caller {
  /** Identifies the client: calls are counted per client, and clients take turns. */
  key: string;
  /** Whether the client's address is one of this machine's. */
  isHere: boolean;
  /** Whether the client wants only fields, without the same content repeated as text. */
  fieldsAlone: boolean;
}

const fieldsHeader = 'x-swf-answer';

export interface McpOptions {
  /** Creates the server for one request: there are no sessions, so none can be lost. */
  createServer: (client: Client) => McpServer;
}

/** Maximum number of messages in a batch; the SDK takes no more. */
const maxBatch = 100;

/** Answers a POST to MCP. The body has already been read. */
export function createMcpAnswerer({ createServer }: McpOptions, turn: Turn) {
  const limits = createCallLimits();
  return async (request: Request, response: Response) => {
    const messages = messagesOf(request.body);
    const { length } = messages;
    if (length === 0)
      return refuse(response, 400, -32_600, 'the body is not a JSON-RPC message; send an object, or a list of them');
    const client = {
      ...callerOf(request),
      key: clientOf(request),
      isHere: isOfThisMachine(request),
      fieldsAlone: request.headers[fieldsHeader] === 'fields',
    };
    if (length > maxBatch)
      return refuse(response, 400, -32_600, `the batch has ${length} messages; send at most ${maxBatch} at once`);
    const [over, cancelled] = [new AbortController(), new AbortController()];
    // Looked up before this request is admitted, since the request itself may have one of these ids.
    const unwanted = cancelledBy(messages).flatMap((one) => limits.find(client.key, one) ?? []);
    const taken = limits.take(client.key, { count: length, id: idOf(messages), cancel: () => cancelled.abort() });
    if ('limit' in taken) {
      response.setHeader('Retry-After', '1');
      const words = `too many calls are in progress: ${taken.limit}; wait for an answer, then send the request again`;
      return refuse(response, 429, -32_000, words);
    }
    for (const one of unwanted) one.cancel?.();
    onceOver(request, response, () => {
      taken.end();
      over.abort();
    });
    adjustHeaders(request, response);
    const { answerPost } = await adapters[eraOf(request.body, request.get('mcp-protocol-version'))]();
    await answerPost(createServer(client), {
      request,
      response,
      body: Array.isArray(request.body) ? wanted(messages) : request.body,
      turn: () => turn(client.key),
      over: over.signal,
      cancelled: cancelled.signal,
    });
  };
}

/**
 * Calls back once when a request has been answered or its client has gone. Node does not report a client that
 * has gone while its response is queued behind another.
 */
function onceOver({ socket }: Request, response: Response, callback: () => void) {
  const end = () => {
    response.off('close', end);
    socket.off('close', end);
    callback();
  };
  // Each request that a client sends without waiting for the previous answer adds a listener to the socket.
  socket.setMaxListeners(0);
  response.once('close', end);
  socket.once('close', end);
}

function messagesOf(body: unknown) {
  if (Array.isArray(body)) return body;
  return typeof body === 'object' && body !== null ? [body] : [];
}

/** The id by which a client cancels a request; undefined for a batch or a notification. */
function idOf([message, ...others]: Messages) {
  const { id, method } = message ?? {};
  const isId = typeof id === 'string' || typeof id === 'number';
  return others.length === 0 && method !== undefined && isId ? id : undefined;
}

/** The messages in a request's body, unchecked. */
type Messages = readonly ({ id?: unknown; method?: unknown; params?: { requestId?: unknown } } | null)[];

/** The ids of the requests that messages cancel. */
const cancelledBy = (messages: Messages) =>
  messages
    .filter((message) => message?.method === 'notifications/cancelled')
    .map((message) => message?.params?.requestId);

/**
 * A batch without the requests that the batch itself cancels: otherwise the stream would wait forever for their
 * answers.
 */
function wanted(messages: Messages) {
  const cancelled = new Set(cancelledBy(messages));
  return messages.filter((message) => message?.id === undefined || !cancelled.has(message.id));
}

/**
 * Drops two headers that the transport sets: the promise to keep the connection open, given even to clients
 * that asked to close it (Node sets the right header), and, if our answer is compressed, `no-transform`, which
 * is meant for proxies.
 */
function adjustHeaders(request: Request, response: Response) {
  const writeHead = response.writeHead.bind(response) as (status: number, headers?: object) => Response;
  response.writeHead = ((status: number, headers: Record<string, string> = {}) => {
    const { connection: _, 'cache-control': cache, ...rest } = headers;
    const isKept = cache !== undefined && !isToBeCompressed(request);
    return writeHead(status, isKept ? { ...rest, 'cache-control': cache } : rest);
  }) as Response['writeHead'];
}

/**
 * Whether a client asks to save data. The page does, since it polls. Other clients are usually on this
 * machine, where answers are faster without compression.
 */
const isToBeCompressed = ({ headers }: Pick<Request, 'headers'>) =>
  headers['save-data'] === 'on' && /\b(?:br|gzip|deflate)\b/.test(String(headers['accept-encoding']));

/** Compresses answers to clients that send `Save-Data: on`. Each event of a stream is flushed. */
export const compressed = () =>
  compression({
    flush: constants.Z_SYNC_FLUSH,
    // Quality 6 takes no longer than the library's default, and makes an answer of 10 kB 8% smaller.
    brotli: { flush: constants.BROTLI_OPERATION_FLUSH, params: { [constants.BROTLI_PARAM_QUALITY]: 6 } },
    filter: isToBeCompressed,
  });
