import type { Delivery, Outgoing, Subscription } from '../broker/connection.ts';
import { type ReturnReason, returnReasons, type SliceNeeds, workKind } from '../domain/slice-returns.ts';
import type { AgentType } from '../domain/states.ts';
import { onceFor } from '../lib/once-for.ts';
import { present } from '../lib/present.ts';
import { decodeMessage, rejected } from '../messages/codec.ts';
import { traceParent } from '../messages/identity.ts';
import { type Telemetry, telemetryOf } from '../messages/telemetry.ts';
import { type MessageType, vocabulary } from '../messages/vocabulary.ts';

/**
 * Decodes a delivery into the workflow's own vocabulary once, and keeps the result. Never throws. Rejects an
 * oversized body, since its beginning must not be mistaken for a whole message.
 */
export const decodedOf = onceFor((delivery: Delivery) => {
  if (delivery.isWhole) return decodeMessage(delivery.body);
  return rejected(`a body of ${delivery.size} bytes is too large; only the beginning was kept`);
});

/**
 * How long telemetry is kept, in seconds. Telemetry is soon outdated, but must not expire early because
 * another host's clock is off by minutes.
 */
const telemetrySeconds = 3600;

/** A report in the form in which it is sent. @param isSerious whether the report survives a restart of the broker */
export const reportOf = (destination: string, report: Telemetry, isSerious = false): Outgoing => ({
  destination,
  headers: {
    'content-type': 'application/json',
    msg_type: report.msg_type,
    namespace: report.namespace,
    vo: 'eic',
    ...(isSerious ? { persistent: 'true' } : {}),
  },
  body: JSON.stringify(report),
  expirySeconds: telemetrySeconds,
});

/**
 * A subscription to the reports of a namespace. Calls `hear` with undefined for a message that is not a
 * report.
 */
export const reportsIn = (
  namespace: string,
  destination: string,
  hear: (report: Telemetry | undefined, delivery: Delivery) => void,
  id = 'telemetry',
): Subscription => ({
  id,
  destination,
  ack: 'auto',
  only: () => ({ namespace }),
  onMessage: (delivery) => hear(telemetryOf(decodedOf(delivery)), delivery),
});

/** The durable subscription of a recorder. */
export const recorderSubscription = (namespace: string, storeId: string) => `swf.${namespace}.${storeId}`;

/** The durable subscription that remote agents of one type share, or take turns using. */
export const roleSubscription = (namespace: string, type: AgentType) => `swf.${namespace}.${type}`;

/** The types of remote agents that read broadcasts. */
export const readingTypes = ['data', 'fastmon'] as const satisfies readonly AgentType[];

/** The queue for results sent to one store, for a broker without selectors. */
export const resultsOfStore = (results: string, namespace: string, storeId: string) =>
  `${results}.${namespace}.${storeId}`;

/**
 * How long a broadcast is kept, in seconds: subscribers receive it immediately or after an outage; after an
 * outage longer than this, it is outdated.
 */
const broadcastExpirySeconds = 24 * 3600;

/** How long a slice is kept on its queue, in seconds: a broker must not keep a forgotten run's work forever. */
const sliceExpirySeconds = 12 * 3600;

/** The facts about a message that its headers repeat. */
interface WireFacts {
  message_id: string;
  message_type: MessageType;
  namespace: string;
  run_id: string | null | undefined;
  execution_id: string | null | undefined;
  /** The recorder that sent the message or is to receive it. */
  store_id: string | undefined;
}

/**
 * The STOMP headers of a message. Only the start of a slice need not survive a restart of the broker: the
 * result repeats it, and until then heartbeats name the slice. ActiveMQ Classic handles a quarter more
 * slices if starts are not written to its disk.
 */
export function wireHeaders(facts: WireFacts) {
  const { message_id, message_type, namespace, run_id, execution_id, store_id } = facts;
  return present({
    'content-type': 'application/json',
    msg_type: message_type,
    namespace,
    run_id,
    execution_id,
    traceparent: execution_id && traceParent(execution_id, message_id),
    store_id,
    vo: 'eic',
    persistent: message_type === 'slice_started' ? undefined : 'true',
  }) as Record<string, string>;
}

/** The headers that name a slice's kinds of work: a worker leaves to others the kinds that it cannot do. */
export const kindHeaders: Readonly<Record<ReturnReason, string>> = {
  NO_FILE: 'file_place',
  NO_PAYLOAD: 'payload',
  WRONG_FILE: 'tf_file',
};

export const sliceHeaders = (needs: SliceNeeds): Record<string, string> => ({
  ...Object.fromEntries(returnReasons.map((reason) => [kindHeaders[reason], workKind(needs, reason)])),
  // Workers from an earlier build use this header to exclude slices of a file that is missing or different on
  // their host.
  tf_filename: needs.tf_filename,
});

/**
 * How long a broker may keep a message, in seconds. Results are the only copy of work done, so they do not
 * expire.
 */
export function expirySeconds(type: MessageType) {
  const { destination } = vocabulary[type];
  if (destination === 'results') return undefined;
  return destination === 'slices' ? sliceExpirySeconds : broadcastExpirySeconds;
}
