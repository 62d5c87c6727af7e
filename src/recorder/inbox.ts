import type { Delivery, Subscription } from '../broker/connection.ts';
import { isAttemptOver } from '../db/execution/unanswered.ts';
import { writeEach } from '../db/opening/store.ts';
import type { Prepare } from '../db/sqlite/statements.ts';
import type { Transaction } from '../db/sqlite/transaction.ts';
import { unmarkedSubscription } from '../exchange/namespace-guard.ts';
import { decodedOf } from '../exchange/wire.ts';
import { inBatches } from '../lib/batches.ts';
import { messageOf } from '../lib/errors.ts';
import { type Decoded, fieldOf, rejected } from '../messages/codec.ts';
import type { Message } from '../messages/message.ts';
import { isMessageType, type MessageType, vocabulary } from '../messages/vocabulary.ts';
import type { Surroundings } from './surroundings.ts';

interface InboxOptions extends Pick<Surroundings, 'store' | 'namespace' | 'destinations' | 'onFault'> {
  /** Called with the types of new messages. */
  onRecorded: (types: MessageType[]) => void;
  /** Called for every message, whether for us or not. */
  onHeard: () => void;
  /** Called with each broadcast of any kind. */
  onBroadcast: (delivery: Delivery) => void;
  /** Called once for each unknown execution that a message names. */
  onStray: (executionId: string) => void;
  /**
   * Called with each readable message once it is recorded, even if it was recorded before.
   * @param wasOver whether the message begins an attempt that had ended before it arrived: the worker
   *   repeats the start, or has started again
   */
  onMessage: (message: Message, how: { isNew: boolean; wasOver: boolean }) => void;
}

/** Maximum number of messages to record in one transaction, and to have in flight. */
const window = 256;

interface Incoming {
  destination: string;
  delivery: Delivery;
  /** The content to record: the body as decoded, or a refusal with its reason. */
  decoded: Decoded;
}

export type Inbox = ReturnType<typeof createInbox>;

/**
 * Records incoming messages in order of arrival, many in one transaction if many have arrived, and then acknowledges
 * them.
 */
export function createInbox(options: InboxOptions) {
  const { store, namespace, destinations, onBroadcast, onHeard, onMessage, onRecorded, onFault } = options;
  const strays = new Set<string>();
  const add = inBatches<Incoming>(
    window,
    async (batch) => {
      // Never reject a message that is already recorded, even on the wrong destination.
      const fresh = new Set(batch.filter(({ delivery }) => !store.messages.isSettled(decodedOf(delivery))));
      const over = new Set(batch.filter(({ decoded }) => isOver(store.sql, decoded)));
      const types = fresh.size === 0 ? [] : await recordAll([...fresh], strays, options);
      for (const { delivery } of batch) delivery.acknowledge();
      for (const incoming of batch) {
        const { decoded } = incoming;
        const how = { isNew: fresh.has(incoming), wasOver: over.has(incoming) };
        if (decoded.kind === 'message') onMessage(decoded.message, how);
      }
      if (types.length > 0) onRecorded(types);
    },
    onFault,
  );

  function take(destination: string, delivery: Delivery) {
    onHeard();
    if (destination === destinations.broadcast) onBroadcast(delivery);
    // Ignore messages from other namespaces. A message without a namespace counts as ours.
    if ((delivery.headers['namespace'] ?? fieldOf(decodedOf(delivery), 'namespace') ?? namespace) !== namespace) {
      return delivery.acknowledge();
    }
    add({ destination, delivery, decoded: judge(destination, delivery, options) });
  }

  return {
    /**
     * A subscription to a topic, for programs that name their namespace only in the body; it receives
     * messages only while we listen.
     */
    unmarked: (destination: string): Subscription => unmarkedSubscription(destination, take),
    /**
     * Messages that the broker keeps for us until we acknowledge them.
     * @param place where they arrive, if not at their usual destination
     */
    work: (id: string, destination: string, { store: is, place }: { store?: string; place?: string } = {}) => ({
      id,
      destination: place ?? destination,
      ack: 'each' as const,
      ...(place === undefined ? { only: () => ({ namespace, ...(is === undefined ? {} : { store: { is } }) }) } : {}),
      prefetch: window,
      onMessage: (delivery: Delivery) => take(destination, delivery),
    }),
    /**
     * Records one message immediately, and leaves its acknowledgement to the caller.
     * @param refusal the reason, if the message is to be recorded as rejected
     */
    async record(destination: string, delivery: Delivery, refusal?: string) {
      const decoded = refusal === undefined ? judge(destination, delivery, options) : rejected(refusal);
      await recordAll([{ destination, delivery, decoded }], strays, options);
    },
  };
}

/**
 * Accepts a message only on its type's destination: a control message on the control queue, and so on. A
 * rejected message is identified by its body alone: it must not be taken for a message from the execution that
 * it names.
 */
function judge(destination: string, delivery: Delivery, { destinations }: InboxOptions): Decoded {
  const decoded = decodedOf(delivery);
  const type = fieldOf(decoded, 'msg_type');
  if (type === undefined || !isMessageType(type)) return decoded;
  const right = destinations[vocabulary[type].destination];
  return right === destination
    ? decoded
    : rejected(`${type} is accepted only from ${right}, but arrived on ${destination}`);
}

/**
 * Records messages. A message that the store cannot take is recorded as rejected.
 * @param strays unknown executions that earlier messages named
 */
function recordAll(batch: readonly Incoming[], strays: Set<string>, { store, onStray }: InboxOptions) {
  const recordOne = (tx: Transaction, { destination, delivery, decoded }: Incoming): MessageType[] => {
    const received = { destination, body: delivery.body, decoded };
    const recorded = store.messages.recordReceived(tx, received, { fromBroker: true });
    const { isNew, effect_code, execution_id } = recorded;
    // Messages that name an unknown execution mean that another store shares this store's namespace and queues.
    if (isNew && effect_code === 'EXECUTION_UNKNOWN' && execution_id !== null && !strays.has(execution_id)) {
      strays.add(execution_id);
      onStray(execution_id);
    }
    const type = fieldOf(decoded, 'msg_type');
    if (!isNew || type === undefined || !isMessageType(type)) return [];
    return [type, ...(recorded.released ?? [])];
  };
  return writeEach(store, batch, recordOne, (tx, incoming, error) =>
    recordOne(tx, { ...incoming, decoded: rejected(`cannot be recorded: ${messageOf(error)}`) }),
  );
}

/**
 * Whether a message begins an attempt that has already ended. To be called before the batch is recorded, since
 * the batch may also contain the attempt's result.
 */
function isOver(sql: Prepare, decoded: Decoded) {
  if (decoded.kind !== 'message' || decoded.message.msg_type !== 'slice_started') return false;
  const { execution_id = '', slice_filename, attempt } = decoded.message;
  return isAttemptOver(sql, execution_id, slice_filename, attempt);
}
