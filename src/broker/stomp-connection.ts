import { setMaxListeners } from 'node:events';

import stompit, { type Client, type Frame } from 'stompit';

import { messageOf, SwfError } from '../lib/errors.ts';
import { type BrokerAddress, showAddress } from './address.ts';
import type { BrokerSettings, StompBus, Subscription } from './connection.ts';

const bodyLimit = 1_048_576;
/** How much of a body that is too large is kept, to show what it was. */
const keptOfLarge = 2000;
const connectMilliseconds = 10_000;
const receiptMilliseconds = 30_000;
const firstPause = 500;
const longestPause = 30_000;
/** A session that held this long was a good one: the next pause is short again. */
const steadyMilliseconds = 30_000;

surviveHostileHeaders();

interface Session {
  client: Client;
  address: BrokerAddress;
  since: number;
  /** Settles everything that waits for this session. */
  ended: AbortController;
  isUp: boolean;
  timers: Set<NodeJS.Timeout>;
}

/**
 * A connection to a STOMP broker that comes back: everything about stompit is in this file.
 *
 * - One session at a time; every callback first asks whether its session is the current one, and `down` is the only way out.
 * - A send is settled by the broker's receipt or by the end of its session, never by neither.
 * - Nothing is queued here: who sends keeps what is not receipted (the log is the outbox) and bounds what is under way.
 *
 * stompit 1.0.0 has faults that end the process or wait for ever; each is met where it bites, with the reason beside it.
 */
export function createStompBus(settings: BrokerSettings, onTrouble: (error: SwfError) => void): StompBus {
  return new ReturningConnection(settings, onTrouble);
}

class ReturningConnection implements StompBus {
  readonly #settings: BrokerSettings;
  readonly #onTrouble: (error: SwfError) => void;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #upCallbacks: (() => void)[] = [];
  #session: Session | undefined;
  #attempts = 0;
  #pause = firstPause;
  #retryTimer: NodeJS.Timeout | undefined;
  #closed = false;
  #first: { resolve: () => void; reject: (error: SwfError) => void; once: boolean } | undefined;

  constructor(settings: BrokerSettings, onTrouble: (error: SwfError) => void) {
    this.#settings = settings;
    this.#onTrouble = onTrouble;
  }

  isUp(): boolean {
    return this.#session?.isUp === true;
  }

  connect({ once }: { once: boolean }): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#first = { resolve, reject, once };
      this.#open();
    });
  }

  onUp(callback: () => void): void {
    this.#upCallbacks.push(callback);
  }

  subscribe(subscription: Subscription): void {
    this.#subscriptions.set(subscription.id, subscription);
    if (this.#session?.isUp === true) this.#subscribeNow(this.#session, subscription).catch(() => {});
  }

  unsubscribe(id: string): void {
    this.#subscriptions.delete(id);
    if (this.#session?.isUp === true) this.#request(this.#session, 'UNSUBSCRIBE', { id }).catch(() => {});
  }

  forget(durableName: string): Promise<void> {
    if (this.#session?.isUp !== true) return Promise.reject(notUp());
    return this.#request(this.#session, 'UNSUBSCRIBE', { id: 'durable', 'activemq.subscriptionName': durableName });
  }

  send(destination: string, headers: Record<string, string>, body: string): Promise<void> {
    if (this.#session?.isUp !== true) return Promise.reject(notUp());
    return this.#request(this.#session, 'SEND', { ...headers, destination }, body);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retryTimer);
    const last = this.#session;
    if (last === undefined) return;
    if (last.isUp) await disconnected(last.client);
    this.#down(last, undefined);
  }

  #open(): void {
    const { servers } = this.#settings;
    const address = servers[this.#attempts % servers.length] as BrokerAddress;
    this.#attempts += 1;
    const opened: Session = {
      address,
      since: performance.now(),
      ended: new AbortController(),
      isUp: false,
      timers: new Set(),
      client: undefined as unknown as Client,
    };
    // One listener a send under way.
    setMaxListeners(0, opened.ended.signal);
    this.#session = opened;
    const lost = (error: unknown): void => this.#down(opened, asSwfError(error, address));
    try {
      opened.client = stompit.connect(connectOptions(this.#settings, address), (error) => {
        if (error) lost(error);
        else void this.#comeUp(opened);
      });
    } catch (error) {
      opened.client = { destroy: () => {} } as Client;
      lost(error);
      return;
    }
    // Without listeners of our own an error after CONNECTED would end the process.
    opened.client.on('error', lost);
    opened.client.on('end', () => lost(new Error('the connection ended')));
    replaceErrorHandler(opened.client, lost);
    // stompit's own time-out ends at the TCP connection; a broker that accepts and says nothing is ours to notice.
    const mute = (): void => lost(new Error(`no answer within ${connectMilliseconds / 1000} s`));
    opened.timers.add(setTimeout(mute, connectMilliseconds));
  }

  async #comeUp(on: Session): Promise<void> {
    if (this.#session !== on) return;
    for (const timer of on.timers) clearTimeout(timer);
    on.timers.clear();
    try {
      await Promise.all([...this.#subscriptions.values()].map((subscription) => this.#subscribeNow(on, subscription)));
    } catch {
      // The session went down meanwhile, and `#down` has seen to the next one.
      return;
    }
    if (this.#session !== on) return;
    on.isUp = true;
    on.since = performance.now();
    this.#first?.resolve();
    this.#first = undefined;
    for (const callback of this.#upCallbacks) callback();
  }

  /** The only way out of a session. `reason` undefined: we ended it ourselves. */
  #down(over: Session, reason: SwfError | undefined): void {
    if (this.#session !== over) return;
    this.#session = undefined;
    for (const timer of over.timers) clearTimeout(timer);
    over.client.destroy();
    over.ended.abort(reason ?? new SwfError('BROKER_UNREACHABLE', 'the connection to the broker was closed'));
    if (this.#closed || reason === undefined) return;
    const isFirstRound = this.#attempts < this.#settings.servers.length;
    if (this.#first?.once === true && !isFirstRound) {
      this.#closed = true;
      this.#first.reject(reason);
      return;
    }
    this.#onTrouble(reason);
    if (over.isUp && performance.now() - over.since > steadyMilliseconds) this.#pause = firstPause;
    const wait = this.#first !== undefined && isFirstRound ? 0 : this.#pause * (0.75 + Math.random() / 2);
    if (!isFirstRound) this.#pause = Math.min(this.#pause * 2, longestPause);
    this.#retryTimer = setTimeout(() => this.#open(), wait);
  }

  #subscribeNow(on: Session, { id, destination, ack, headers, onMessage }: Subscription): Promise<void> {
    on.client.setImplicitSubscription(id, ack, (error, frame) => {
      if (!error) receive(on, frame, ack, onMessage);
    });
    // stompit's own subscribe() cannot ask for a receipt, and without one a message published next can be missed.
    return this.#request(on, 'SUBSCRIBE', { ...headers, id, destination, ack });
  }

  /** Sends a frame; resolves at its receipt, rejects at the end of its session. */
  #request(on: Session, command: string, headers: Record<string, string>, body = ''): Promise<void> {
    return new Promise((resolve, reject) => {
      const { signal } = on.ended;
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const late = `${showAddress(on.address)} gave no receipt for ${receiptMilliseconds / 1000} s; reconnecting`;
      const timer = setTimeout(() => this.#down(on, new SwfError('BROKER_UNREACHABLE', late)), receiptMilliseconds);
      on.timers.add(timer);
      const settle = (): void => {
        clearTimeout(timer);
        on.timers.delete(timer);
        signal.removeEventListener('abort', fail);
      };
      // stompit forgets receipts and callbacks when a connection dies.
      const fail = (): void => {
        settle();
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', fail);
      const onReceipt = (): void => {
        settle();
        resolve();
      };
      // Headers are written into by stompit, so each frame gets its own. A frame that is not ended blocks the connection.
      const frame = on.client.sendFrame(command, { ...headers }, { onReceipt });
      frame.on('error', () => {});
      frame.end(Buffer.from(body));
    });
  }
}

const notUp = (): SwfError => new SwfError('BROKER_UNREACHABLE', 'there is no connection to the broker at the moment');

function connectOptions(
  { user, password, ca, heartbeatSeconds, clientId }: BrokerSettings,
  { host, port, tls }: BrokerAddress,
): object {
  const beat = Math.round(heartbeatSeconds * 1000);
  return {
    host,
    port,
    // Header, body and end of a frame are three writes: with Nagle's algorithm each send waits 44 ms.
    noDelay: true,
    timeout: 5000,
    // Longer headers than stompit's defaults allow would make the broker deliver the message again for ever.
    maxLineLength: 65_536,
    maxHeaders: 512,
    // ActiveMQ Classic is silent for up to twice the interval; less margin drops healthy connections.
    heartbeatDelayMargin: Math.round(beat * 1.1) + 2000,
    heartbeatOutputMargin: Math.round(beat / 6),
    ...(tls
      ? { ssl: true, ...(ca === undefined ? {} : { ca }), ...(/^[\d.:]+$/.test(host) ? {} : { servername: host }) }
      : {}),
    connectHeaders: {
      host,
      'accept-version': '1.1,1.2',
      'heart-beat': `${beat},${beat}`,
      ...(user === undefined ? {} : { login: user }),
      ...(password === undefined ? {} : { passcode: password }),
      ...(clientId === undefined ? {} : { 'client-id': clientId }),
    },
  };
}

/** Reads a body at once and whole: an unread body stops the connection, heart-beats included. */
function receive(on: Session, frame: Frame, ack: Subscription['ack'], onMessage: Subscription['onMessage']): void {
  const chunks: Buffer[] = [];
  let size = 0;
  frame.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= bodyLimit) chunks.push(chunk);
    else if (chunks.length > 1) chunks.splice(1);
  });
  frame.on('error', () => {});
  frame.on('end', () => {
    if (on.ended.signal.aborted) return;
    const whole = Buffer.concat(chunks).toString('utf8');
    let acknowledged = false;
    onMessage({
      headers: frame.headers,
      body: size > bodyLimit ? whole.slice(0, keptOfLarge) : whole,
      ...(size > bodyLimit ? { cutFrom: size } : {}),
      lost: on.ended.signal,
      acknowledge() {
        // A second ACK, or one on another connection than that of the delivery, costs the connection.
        if (acknowledged || on.ended.signal.aborted || ack === 'auto') return;
        acknowledged = true;
        on.client.ack(frame);
      },
    });
  });
}

/**
 * stompit's handler of ERROR frames calls a method that frames do not have, which ends the process (RabbitMQ and Artemis
 * send such frames for a wrong password). Handlers are installed twice, always through this method.
 */
function replaceErrorHandler(client: Client, lost: (error: unknown) => void): void {
  const install = client.setCommandHandlers.bind(client);
  client.setCommandHandlers = (handlers) =>
    install({
      ...handlers,
      ERROR(frame) {
        frame.on('error', () => {});
        frame.resume();
        lost(Object.assign(new Error(frame.headers['message'] ?? 'ERROR'), { isRefusal: true }));
      },
    });
}

/** A header named `hasOwnProperty` makes stompit's parser throw, and the broker would deliver it again at every restart. */
function surviveHostileHeaders(): void {
  const { prototype } = stompit.IncomingFrameStream;
  const parse = prototype._parseHeaderLine;
  const hasOwnProperty = Object.getOwnPropertyDescriptor(Object.prototype, 'hasOwnProperty')?.value as unknown;
  prototype._parseHeaderLine = function parseSafely() {
    if (this._headers.hasOwnProperty !== hasOwnProperty) this._headers.hasOwnProperty = hasOwnProperty;
    return parse.call(this);
  };
}

function asSwfError(error: unknown, address: BrokerAddress): SwfError {
  const isRefusal = error instanceof Error && 'isRefusal' in error;
  const sentence = isRefusal
    ? `${showAddress(address)} refused: ${messageOf(error)}; check user, password and rights`
    : `${showAddress(address)} cannot be reached: ${messageOf(error)}; check host, port and that the broker runs`;
  return new SwfError(isRefusal ? 'BROKER_REFUSED' : 'BROKER_UNREACHABLE', sentence, { cause: error });
}

/** Ends a connection in order; a broker that does not answer is not waited for. */
function disconnected(client: Client): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, 3000);
    client.disconnect(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
