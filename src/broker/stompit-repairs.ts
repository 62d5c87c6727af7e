import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';

import stompit, { type Client, type Frame } from 'stompit';

/** stompit 1.0.0 has bugs that crash the process. This file fixes those beyond one connection's code, each with its reason. */

export interface ErrorFrame {
  /** Its header, and the first line of its body if that says more: some brokers give the reason only there. */
  sentence: string;
  /** Our frame that it answers. */
  receiptId: string | undefined;
}

/** How much of an ERROR frame's body to read. */
const maxErrorText = 4096;
/** How much of it to show: a stack trace is of no use to an operator. */
const maxErrorLine = 300;

/**
 * stompit's ERROR handler calls a method that frames do not have, which crashes the process (RabbitMQ and Artemis send ERROR for a wrong password).
 * stompit installs handlers twice, always through this method.
 */
export function replaceHandlers(
  client: Client,
  { onServer, onError }: { onServer: (server: string | undefined) => void; onError: (frame: ErrorFrame) => void },
): void {
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

/** A header named `hasOwnProperty` makes stompit's parser throw, and the broker would redeliver the message at every restart. */
export function surviveHostileHeaders(): void {
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

/** The escapes of each version of STOMP. CONNECT is sent before a version is agreed on, and has none. */
const escapes: Readonly<Record<string, readonly (readonly [RegExp, string])[]>> = {
  '1.0': [],
  '1.1': [
    [/\\/g, '\\\\'],
    [/\n/g, String.raw`\n`],
    [/:/g, String.raw`\c`],
  ],
  '1.2': [
    [/\\/g, '\\\\'],
    [/\r/g, String.raw`\r`],
    [/\n/g, String.raw`\n`],
    [/:/g, String.raw`\c`],
  ],
};

const needsEscape = /[\\\r\n:]/;

const end = Buffer.from('\0\n');

/**
 * Outgoing frames, in place of stompit's stream, which writes each frame in three pieces and waits for the socket after each. Here a frame is one
 * piece, and frames of the same moment share one write, which costs half as much, for the broker too.
 */
export class OutgoingFrames {
  readonly #socket: Socket;
  #escapes = escapes['1.0'] ?? [];
  #isFinished = false;
  #waiting: Buffer[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
    for (const event of ['error', 'close', 'finish']) socket.on(event, () => this.finish());
  }

  setVersion(version: string): void {
    this.#escapes = escapes[version] ?? this.#escapes;
  }

  frame(command: string, headers: Record<string, string | number | undefined>): Writable {
    const lines = Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : `${this.#escaped(name)}:${this.#escaped(String(value))}\n`,
    );
    return new OutgoingFrame(Buffer.from(`${command}\n${lines.join('')}\n`), (frame) =>
      this.#send(frame),
    ) as unknown as Writable;
  }

  heartbeat(): void {
    if (this.#waiting.length === 0 && !this.#isFinished) this.#socket.write('\n');
  }

  finish(): void {
    this.#isFinished = true;
  }

  hasFinished(): boolean {
    return this.#isFinished;
  }

  #escaped(text: string): string {
    if (!needsEscape.test(text)) return text;
    return this.#escapes.reduce((escaped, [what, by]) => escaped.replaceAll(what, by), text);
  }

  /** Throws an `Error` once the connection is over. */
  #send(frame: Buffer) {
    if (this.#isFinished) throw new Error('the connection is over');
    if (this.#waiting.length === 0) setImmediate(() => this.#flush());
    this.#waiting.push(frame);
  }

  #flush() {
    const frames = this.#waiting;
    this.#waiting = [];
    // The last frame of all, DISCONNECT, is followed by `finish` at once.
    if (!this.#socket.destroyed) this.#socket.write(Buffer.concat(frames));
  }
}

/** The part of a stream that stompit needs for one frame: write, end and fail. */
class OutgoingFrame extends EventEmitter {
  readonly #parts: Buffer[];
  readonly #send: (frame: Buffer) => void;

  constructor(head: Buffer, send: (frame: Buffer) => void) {
    super();
    this.#parts = [head];
    this.#send = send;
  }

  write(chunk: string | Buffer): boolean {
    this.#parts.push(Buffer.from(chunk));
    return true;
  }

  end(last?: string | Buffer | ((error?: Error) => void), done?: (error?: Error) => void): this {
    const callback = typeof last === 'function' ? last : done;
    if (last !== undefined && last !== null && typeof last !== 'function') this.write(last);
    try {
      this.#send(Buffer.concat([...this.#parts, end]));
      callback?.();
    } catch (error) {
      // Like a stream: not within the call.
      queueMicrotask(() => this.emit('error', error));
    }
    return this;
  }
}
