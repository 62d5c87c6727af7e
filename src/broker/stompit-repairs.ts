import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';

import stompit, { type Client, type Frame } from 'stompit';

/**
 * stompit 1.0.0 has bugs that crash the process. This file works around those that are not specific to one
 * connection, and explains each workaround.
 */

export interface ErrorFrame {
  /**
   * The frame's header, and the first line of its body if that says more: some brokers give the reason only there.
   */
  sentence: string;
  /** Our frame that the ERROR frame answers. */
  receiptId: string | undefined;
}

/** How much of an ERROR frame's body to read, in characters. */
const maxErrorText = 4096;
/** How much of an ERROR frame to show, in characters: a stack trace does not help an operator. */
const maxErrorLine = 300;

/**
 * stompit's ERROR handler calls a method that frames do not have, which crashes the process (RabbitMQ and
 * Artemis send ERROR for a wrong password). stompit installs handlers twice, always through this method.
 */
export function replaceHandlers(
  client: Client,
  { onServer, onError }: { onServer: (server: string | undefined) => void; onError: (frame: ErrorFrame) => void },
) {
  const install = client.setCommandHandlers.bind(client);
  client.setCommandHandlers = (handlers) => {
    const { CONNECTED: connected } = handlers;
    install({
      ...handlers,
      ...(connected === undefined
        ? {}
        : {
            CONNECTED(frame, beforeSendResponse) {
              onServer(frame.headers['server']);
              connected.call(client, frame, beforeSendResponse);
            },
          }),
      ERROR: (frame) => readError(frame, onError),
    });
  };
}

function readError(frame: Frame, onError: (frame: ErrorFrame) => void) {
  let text = '';
  frame.on('error', () => {});
  frame.on('data', (chunk: Buffer) => {
    if (text.length < maxErrorText) text += chunk.toString('utf8');
  });
  frame.on('end', () => {
    const header = frame.headers['message'] ?? 'ERROR';
    const line = (text.split('\n')[0] ?? '').trim().slice(0, maxErrorLine);
    const sentence = line === '' || header.includes(line) ? header : `${header}: ${line}`;
    onError({ sentence, receiptId: frame.headers['receipt-id'] });
  });
}

let isRepaired = false;

/**
 * A header named `hasOwnProperty` makes stompit's parser throw, and the broker would redeliver the message at
 * every restart.
 */
export function surviveHostileHeaders() {
  if (isRepaired) return;
  isRepaired = true;
  const { prototype } = stompit.IncomingFrameStream;
  const parse = prototype._parseHeaderLine;
  const hasOwnProperty = Object.getOwnPropertyDescriptor(Object.prototype, 'hasOwnProperty')?.value as unknown;
  prototype._parseHeaderLine = function parseSafely() {
    if (this._headers.hasOwnProperty !== hasOwnProperty) this._headers.hasOwnProperty = hasOwnProperty;
    return parse.call(this);
  };
}

/**
 * The characters that each version of STOMP escapes, and how. CONNECT is sent before a version is agreed on, so
 * nothing in it is escaped.
 */
const escaped: Readonly<Record<string, RegExp>> = { '1.1': /[\\\n:]/g, '1.2': /[\\\r\n:]/g };
const escapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\r': String.raw`\r`,
  '\n': String.raw`\n`,
  ':': String.raw`\c`,
};

const escapeOf = (character: string) => escapes[character] ?? character;

const end = Buffer.from('\0\n');

export type OutgoingFrames = ReturnType<typeof createOutgoingFrames>;

/**
 * Outgoing frames, in place of stompit's own stream, which writes each frame in three pieces and waits for the
 * socket after each piece. Here each frame is one piece, and frames sent at the same moment share one write.
 * This halves the cost, for the broker too.
 */
export function createOutgoingFrames(socket: Socket) {
  let toEscape: RegExp | undefined;
  let isFinished = false;
  let waiting: Buffer[] = [];
  const finish = () => {
    isFinished = true;
  };
  for (const event of ['error', 'close', 'finish']) socket.on(event, finish);
  const escape = (text: string) => (toEscape === undefined ? text : text.replaceAll(toEscape, escapeOf));
  const flush = () => {
    const frames = waiting;
    waiting = [];
    // The very last frame, DISCONNECT, is immediately followed by `finish`.
    if (!socket.destroyed) socket.write(Buffer.concat(frames));
  };
  /** Throws an `Error` once the connection has ended. */
  const send = (frame: Buffer) => {
    if (isFinished) throw new Error('the connection has ended');
    if (waiting.length === 0) setImmediate(flush);
    waiting.push(frame);
  };
  return {
    finish,
    hasFinished: () => isFinished,
    setVersion(version: string) {
      toEscape = escaped[version] ?? toEscape;
    },
    frame(command: string, headers: Record<string, string | number | undefined>) {
      const lines = Object.entries(headers).flatMap(([name, value]) =>
        value === undefined ? [] : `${escape(name)}:${escape(String(value))}\n`,
      );
      return new OutgoingFrame(Buffer.from(`${command}\n${lines.join('')}\n`), send) as unknown as Writable;
    },
    heartbeat() {
      if (waiting.length === 0 && !isFinished) socket.write('\n');
    },
  };
}

/** The part of a stream that stompit uses for a frame: `write`, `end` and the `error` event. */
class OutgoingFrame extends EventEmitter {
  readonly #parts: Buffer[];
  readonly #send: (frame: Buffer) => void;

  constructor(head: Buffer, send: (frame: Buffer) => void) {
    super();
    this.#parts = [head];
    this.#send = send;
  }

  write(chunk: string | Buffer) {
    this.#parts.push(Buffer.from(chunk));
    return true;
  }

  end(last?: string | Buffer | ((error?: Error) => void), done?: (error?: Error) => void) {
    const callback = typeof last === 'function' ? last : done;
    if (last !== undefined && last !== null && typeof last !== 'function') this.write(last);
    try {
      this.#send(Buffer.concat([...this.#parts, end]));
      callback?.();
    } catch (error) {
      // Emitted asynchronously, as by a stream.
      queueMicrotask(() => this.emit('error', error));
    }
    return this;
  }
}
