/** The members of stompit 1.0.0's low-level client that this room uses. */
declare module 'stompit' {
  import type { EventEmitter } from 'node:events';
  import type { Readable, Writable } from 'node:stream';

  type Headers = Record<string, string | number | undefined>;

  export interface Frame extends Readable {
    headers: Record<string, string>;
  }

  type CommandHandlers = Partial<Record<string, (frame: Frame, beforeSendResponse: () => void) => void>>;

  export interface Client extends EventEmitter {
    /**
     * How long the broker may be silent beyond its heartbeat interval, in milliseconds. The client reads
     * this value when the session begins.
     */
    _heartbeatDelayMargin: number;
    /** Outgoing frames and heartbeats. */
    _output: { heartbeat(): void };
    getTransportSocket(): import('node:net').Socket;
    setCommandHandlers(handlers: CommandHandlers): void;
    setImplicitSubscription(
      id: string,
      ack: string,
      listener: (error: Error | undefined, message: Frame) => void,
    ): unknown;
    sendFrame(command: string, headers: Headers, options?: { onReceipt?: () => void }): Writable;
    _subscriptions: Record<string, unknown>;
    ack(message: Pick<Frame, 'headers'>, headers?: Record<string, string>, options?: { onReceipt?: () => void }): void;
    nack(message: Frame): void;
    destroy(error?: Error): void;
    disconnect(callback: (error?: Error | null) => void): void;
  }

  interface Stompit {
    connect(options: object, callback: (error?: Error | null) => void): Client;
    IncomingFrameStream: {
      prototype: { _parseHeaderLine: (this: { _headers: { hasOwnProperty: unknown } }) => unknown };
    };
  }

  const stompit: Stompit;
  export default stompit;
}
