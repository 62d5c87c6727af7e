import type { IncomingMessage, ServerResponse } from 'node:http';

/** The server as seen by clients of every protocol revision. An adapter connects it to an SDK's transport. */
export interface McpServer {
  info: { name: string; title: string; version: string };
  capabilities: Record<string, Record<string, boolean | Record<string, never>>>;
  /** Instructions that tell an assistant about all tools. */
  instructions: string;
  methods: readonly string[];
  /** The result of a request. Rejects with a `ProtocolFault`. */
  answer: (method: string, params: unknown, request: McpRequest) => Promise<Record<string, unknown>>;
}

export interface McpRequest {
  /** Aborted when the client cancels the request or is gone. */
  signal: AbortSignal;
  /** The client's own name; undefined if the client gave none. */
  clientName: string | undefined;
  /** Undefined if the client did not request progress. */
  progressToken: string | number | undefined;
  /** Sends a notification about this request. Rejects if the client is gone. */
  notify: (method: string, params: Record<string, unknown>) => Promise<void>;
}

/** The JSON of an answer's fields, which is also the answer's text: it is serialized once and written twice. */
export const jsonOfFields = new WeakMap<object, string>();

/** The transport for one stdio client, in the form that the SDKs of both protocol eras expect. */
export interface Wire {
  start: () => Promise<void>;
  send: (message: object) => Promise<void>;
  close: () => Promise<void>;
  onmessage?: (message: object) => void;
  onclose?: () => void;
  onerror?: (error: Error) => void;
}

/** An HTTP POST whose body, a message or a batch of messages, has been read. */
export interface Post {
  request: IncomingMessage;
  response: ServerResponse;
  body: unknown;
  /** Waits until it is this client's turn. */
  turn: () => Promise<void>;
  /** Aborted when the request is answered or its client is gone. */
  over: AbortSignal;
  /** Aborted when the client cancels the request in another POST. */
  cancelled: AbortSignal;
}

/** JSON-RPC's codes of errors. */
export const rpcCodes = {
  noJson: -32_700,
  invalidRequest: -32_600,
  unknownMethod: -32_601,
  invalidParams: -32_602,
  internal: -32_603,
} as const;

/**
 * A protocol error whose message is only our text. The class in SDK 1.x prefixes the text with its name and
 * code, and clients then add them again.
 */
export class ProtocolFault extends Error {
  readonly code: number;
  readonly data: object | undefined;

  constructor(code: number, message: string, data?: object) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** An error for a client's wrong params. */
export const invalidParams = (message: string, data?: object) =>
  new ProtocolFault(rpcCodes.invalidParams, message, data);
