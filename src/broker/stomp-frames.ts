import { connect as connectTcp, type NetConnectOpts } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';

import type { Client, Frame } from 'stompit';

import { withDeadline } from '../lib/deadline.ts';
import { brokerUnreachable, messageOf } from '../lib/errors.ts';
import { sha256 } from '../lib/sha256.ts';
import { type BrokerAddress, showAddress } from './address.ts';
import type { BrokerSettings, Delivery } from './connection.ts';
import type { BrokerDialect } from './dialects.ts';
import { createOutgoingFrames, type OutgoingFrames } from './stompit-repairs.ts';

/** Connection options as stompit passes them on. */
type TransportOptions = NetConnectOpts & ConnectionOptions & { outgoingFrameStream?: OutgoingFrames };

const bodyLimit = 1_048_576;
/** How many bytes of an oversized body to keep, to show what it was. */
const keptOfLarge = 2000;
/** How long closing a connection may take, in milliseconds. */
const disconnectMilliseconds = 3000;

/** RabbitMQ reads the header `host` as a virtual host; other brokers ignore it. */
const defaultVirtualHost = '/';

/**
 * How long a broker may be silent beyond its heartbeat interval, in milliseconds: a shorter margin would drop
 * healthy connections.
 */
export const silenceMargin = (silenceFactor: number, heartbeatSeconds: number) =>
  Math.round(heartbeatSeconds * 1000 * Math.max(0.1, silenceFactor - 1.1)) + 2000;

export function connectOptions(
  { user, password, ca, heartbeatSeconds, clientId, vhost = defaultVirtualHost }: BrokerSettings,
  { host, port, tls }: BrokerAddress,
) {
  const beat = Math.round(heartbeatSeconds * 1000);
  return {
    host,
    port,
    // Header, body and end of a frame are three writes: with Nagle's algorithm each send would wait 44 ms.
    noDelay: true,
    timeout: 5000,
    connect: (options: TransportOptions, onConnect: () => void) => {
      const socket = tls ? connectTls(options, onConnect) : connectTcp(options, onConnect);
      // stompit creates its client from this same `options` object, after this call.
      options.outgoingFrameStream = createOutgoingFrames(socket);
      return socket;
    },
    // A message whose headers exceed stompit's default limits would be redelivered forever.
    maxLineLength: 65_536,
    maxHeaders: 512,
    heartbeatOutputMargin: Math.round(beat / 6),
    ca,
    servername: /^[\d.:]+$/.test(host) ? undefined : host,
    connectHeaders: {
      host: vhost,
      'accept-version': '1.1,1.2',
      'heart-beat': `${beat},${beat}`,
      login: user,
      passcode: password,
      'client-id': clientId,
    },
  };
}

/** A subscription as known to the broker. */
export interface WireSubscription {
  id: string;
  /** Whether the subscription's messages are acknowledged; if they are not, missing one does no harm. */
  isAcknowledged: boolean;
  /** Whether we have asked the broker to end the subscription. */
  isEnded: boolean;
}

/** A message frame and where it came from. */
interface Arrival {
  client: Client;
  dialect: BrokerDialect;
  ended: AbortSignal;
  wire: WireSubscription;
  frame: Frame;
}

/** Reads the whole body immediately: an unread body would block the connection, heartbeats included. */
export function receive(
  { client, dialect, ended, wire, frame }: Arrival,
  { onMessage, giveBack }: { onMessage: (delivery: Delivery) => void; giveBack: (frame: Frame) => void },
) {
  const body = createArrivingBody();
  frame.on('data', (chunk: Buffer) => body.add(chunk));
  frame.on('error', () => {});
  frame.on('end', () => {
    if (ended.aborted || wire.isEnded) return;
    let isSettled = false;
    // stompit acknowledges by the header `ack`, which the sender may have set.
    const own = { headers: { ...frame.headers, ack: frame.headers[dialect.acknowledgedBy] ?? '' } };
    // A second ACK, or an ACK on a connection or subscription other than the delivery's, makes the broker close
    // the connection.
    const settle = (how: (message: Frame) => void) => {
      if (isSettled || ended.aborted || wire.isEnded || !wire.isAcknowledged) return;
      isSettled = true;
      how(frame);
    };
    onMessage({
      headers: frame.headers,
      id: dialect.messageId(frame.headers),
      ...body.received(),
      lost: ended,
      acknowledge: (onConfirmed) => settle(() => client.ack(own, undefined, onConfirmed && { onReceipt: onConfirmed })),
      giveBack: () => settle(giveBack),
    });
  });
}

/** Collects an incoming body. Hashes an oversized body and keeps only its beginning. */
function createArrivingBody() {
  let chunks: Buffer[] = [];
  let size = 0;
  let hash: ReturnType<typeof sha256> | undefined;
  return {
    add(chunk: Buffer) {
      size += chunk.length;
      hash?.update(chunk);
      if (hash !== undefined) return;
      chunks.push(chunk);
      if (size <= bodyLimit) return;
      const all = Buffer.concat(chunks);
      hash = sha256().update(all);
      chunks = [Buffer.from(all.subarray(0, keptOfLarge))];
    },
    received() {
      const bytes = Buffer.concat(chunks);
      const digest = hash?.digest('hex');
      return { body: bytes.toString('utf8'), bytes, size, isWhole: digest === undefined, sha256: digest };
    },
  };
}

export const asSwfError = (error: unknown, address: BrokerAddress) =>
  brokerUnreachable(
    `${showAddress(address)} cannot be reached: ${messageOf(error)}; check the host, the port, and that the broker is running`,
    { cause: error },
  );

/** Closes a connection cleanly, without waiting for a broker that does not answer. */
export function disconnect(client: Client) {
  const ended = new Promise<void>((resolve) => {
    client.disconnect(() => resolve());
  });
  return withDeadline(ended, disconnectMilliseconds, undefined);
}

/**
 * Writes a heartbeat after all incoming data. A broker that holds back small frames sends the next one only
 * when our kernel has acknowledged the last. The kernel does so after 40 ms, or immediately together with
 * anything that we write.
 */
export function acknowledgeAtOnce(client: Client) {
  client.getTransportSocket().on('data', () => setImmediate(() => client._output.heartbeat()));
}
