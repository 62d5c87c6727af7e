import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';

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
    return new Frame(Buffer.from(`${command}\n${lines.join('')}\n`), (frame) =>
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
  #send(frame: Buffer): void {
    if (this.#isFinished) throw new Error('the connection is over');
    if (this.#waiting.length === 0) setImmediate(() => this.#flush());
    this.#waiting.push(frame);
  }

  #flush(): void {
    const frames = this.#waiting;
    this.#waiting = [];
    // The last frame of all, DISCONNECT, is followed by `finish` at once.
    if (!this.#socket.destroyed) this.#socket.write(Buffer.concat(frames));
  }
}

/** The part of a stream that stompit needs for one frame: write, end and fail. */
class Frame extends EventEmitter {
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
