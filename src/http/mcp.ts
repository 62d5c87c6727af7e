import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { RequestId } from '@modelcontextprotocol/sdk/types.js';
import type { Request, Response } from 'express';

import { createCallLimits } from './call-limits.ts';
import type { Caller } from './callers.ts';
import { isToBeCompressed } from './compressed.ts';
import { callerOf, clientOf, isOfThisMachine, refuse } from './guard.ts';
import type { Turn } from './turns.ts';

export interface Client extends Caller {
  /** Identifies the client: calls are counted and served in turn per client. */
  key: string;
  /** Whether it is on this machine, as far as its address tells. */
  isHere: boolean;
}

export interface McpOptions {
  /** A server for one request: there are no sessions, so none can be lost. */
  createServer: (client: Client) => Server;
}

/** Most messages in a list; the SDK takes no more. */
const maxBatch = 100;

/** Answers a POST to MCP. Its body is already read. */
export function createMcpAnswerer({ createServer }: McpOptions, turn: Turn) {
  const take = createCallLimits();
  const underWay = new UnderWay();
  return async (request: Request, response: Response): Promise<void> => {
    const messages = messagesOf(request.body);
    const { length } = messages;
    if (length === 0)
      return refuse(response, 400, -32_600, 'the body is no JSON-RPC message; send an object, or a list of them');
    const client = { ...callerOf(request), key: clientOf(request), isHere: isOfThisMachine(request) };
    if (length > maxBatch)
      return refuse(response, 400, -32_600, `the batch has ${length} messages; send at most ${maxBatch} together`);
    const taken = take(client.key, length);
    if ('limit' in taken) {
      response.setHeader('Retry-After', '1');
      const words = `too many calls are under way: ${taken.limit}; wait for answers, and send it again`;
      return refuse(response, 429, -32_000, words);
    }
    underWay.cancel(client.key, messages);
    const server = createServer(client);
    const transport = new StreamableHTTPServerTransport({});
    let isOver = false;
    const forget = underWay.add(client.key, messages, (id) => {
      const error = { code: -32_800, message: 'the call was cancelled by its client' };
      void transport.send({ jsonrpc: '2.0', id, error }).finally(() => response.end());
    });
    onceOver(request, response, () => {
      isOver = true;
      forget();
      taken.end();
      void transport.close();
      void server.close();
    });
    await server.connect(transport);
    const hear = transport.onmessage;
    // Serve others between the messages of a batch. Do nothing more for a client that has gone.
    const hearInTurn = async (...said: Parameters<NonNullable<typeof hear>>): Promise<void> => {
      await turn(client.key);
      if (!isOver) hear?.(...said);
    };
    transport.onmessage = (...said) => void hearInTurn(...said);
    adjustHeaders(request, response);
    await transport.handleRequest(request, response, Array.isArray(request.body) ? wanted(messages) : request.body);
  };
}

/** Calls back once when a request is answered or its client has gone. Node does not report the latter for a response queued behind another. */
function onceOver({ socket }: Request, response: Response, callback: () => void): void {
  const end = (): void => {
    response.off('close', end);
    socket.off('close', end);
    callback();
  };
  // One listener for each request that a client sends without waiting.
  socket.setMaxListeners(0);
  response.once('close', end);
  socket.once('close', end);
}

function messagesOf(body: unknown): Messages {
  if (Array.isArray(body)) return body;
  return typeof body === 'object' && body !== null ? [body] : [];
}

/**
 * Requests in progress. A client cancels one by a separate POST: nobody waits for its answer then, so its stream ends and the work with it. Two
 * sessions of one caller may use the same request id: then none is ended. An ended request gets an error, in case it was another session's.
 */
class UnderWay {
  readonly #ends = new Map<string, Set<() => void>>();

  /** Returns how to forget them. */
  add(key: string, messages: Messages, cancel: (id: RequestId) => void): () => void {
    const [only] = messages;
    // A batch is not cancelled: its other requests want their answers.
    const id = only?.id;
    if (messages.length !== 1 || only?.method === undefined || !isId(id)) return () => {};
    const name = nameOf(key, id);
    const end = (): void => cancel(id);
    const ends = this.#ends.get(name) ?? new Set();
    this.#ends.set(name, ends.add(end));
    return () => {
      ends.delete(end);
      if (ends.size === 0 && this.#ends.get(name) === ends) this.#ends.delete(name);
    };
  }

  cancel(key: string, messages: Messages): void {
    for (const id of cancelledBy(messages)) {
      const ends = this.#ends.get(nameOf(key, id));
      if (ends?.size === 1) for (const end of ends) end();
    }
  }
}

const nameOf = (key: string, id: unknown): string => JSON.stringify([key, id]);

const isId = (id: unknown): id is RequestId => typeof id === 'string' || typeof id === 'number';

/** The messages in a request's body, unchecked. */
type Messages = readonly ({ id?: unknown; method?: unknown; params?: { requestId?: unknown } } | null)[];

/** The ids of the requests that messages cancel. */
const cancelledBy = (messages: Messages): unknown[] =>
  messages
    .filter((message) => message?.method === 'notifications/cancelled')
    .map((message) => message?.params?.requestId);

/** A batch without the requests that it cancels itself: nobody would answer them, and the stream would wait for the answers. */
function wanted(messages: Messages): Messages {
  const cancelled = new Set(cancelledBy(messages));
  return messages.filter((message) => message?.id === undefined || !cancelled.has(message.id));
}

/**
 * Drops two headers of the transport: its promise to keep the connection, which it makes even to clients that asked to close (Node sets the right
 * one), and, where our answer is compressed, the order not to transform it, which is meant for proxies.
 */
function adjustHeaders(request: Request, response: Response): void {
  const writeHead = response.writeHead.bind(response) as (status: number, headers?: object) => Response;
  response.writeHead = ((status: number, headers: Record<string, string> = {}) => {
    const { connection: _, 'cache-control': cache, ...rest } = headers;
    const isKept = cache !== undefined && !isToBeCompressed(request);
    return writeHead(status, isKept ? { ...rest, 'cache-control': cache } : rest);
  }) as Response['writeHead'];
}
