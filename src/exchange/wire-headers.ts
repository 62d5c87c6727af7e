import { type ReturnReason, returnReasons, type SliceNeeds, workKind } from '../domain/slice-returns.ts';
import { traceParent } from '../lib/trace-context.ts';
import { type MessageType, vocabulary } from '../messages/vocabulary.ts';

/** Listeners on the topic hear a message at once, or after an outage; later it is old news. */
const broadcastExpirySeconds = 24 * 3600;

/** A slice expires on its queue: a broker must not keep a forgotten run's work forever. */
const sliceExpirySeconds = 12 * 3600;

/** The facts about a message that its headers repeat. */
export interface WireFacts {
  message_id: string;
  message_type: MessageType;
  namespace: string;
  run_id: string | null | undefined;
  execution_id: string | null | undefined;
  /** The recorder that it is from, or for. */
  store_id: string | undefined;
}

/**
 * The STOMP headers of a message. Only a start need not survive the broker: the result repeats it, and heartbeats name the slice meanwhile. ActiveMQ
 * Classic does a quarter more without starts on its disk.
 */
export function wireHeaders(facts: WireFacts): Record<string, string> {
  const { message_id, message_type, namespace, run_id, execution_id, store_id } = facts;
  return {
    'content-type': 'application/json',
    msg_type: message_type,
    namespace,
    ...(run_id === null || run_id === undefined ? {} : { run_id }),
    ...(execution_id === null || execution_id === undefined
      ? {}
      : { execution_id, traceparent: traceParent(execution_id, message_id) }),
    ...(store_id === undefined ? {} : { store_id }),
    vo: 'eic',
    ...(message_type === 'slice_started' ? {} : { persistent: 'true' }),
  };
}

/** The headers that name a slice's kinds of work: a worker leaves kinds that it cannot do to others. */
export const kindHeaders: Readonly<Record<ReturnReason, string>> = {
  NO_FILE: 'file_place',
  NO_PAYLOAD: 'payload',
  WRONG_FILE: 'tf_file',
};

export const sliceHeaders = (needs: SliceNeeds): Record<string, string> => ({
  ...Object.fromEntries(returnReasons.map((reason) => [kindHeaders[reason], workKind(needs, reason)])),
  // Workers of an earlier build skip a wrong file by its name.
  tf_filename: needs.tf_filename,
});

/** How long a broker may keep a message, in seconds. Results are the only copy of work done, so they do not expire. */
export function expirySeconds(type: MessageType): number | undefined {
  const { destination } = vocabulary[type];
  if (destination === 'results') return undefined;
  return destination === 'slices' ? sliceExpirySeconds : broadcastExpirySeconds;
}
