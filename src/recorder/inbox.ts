import type { Delivery, Subscription } from '../broker/connection.ts';
import { isAttemptOver } from '../db/execution/unanswered.ts';
import { writeEach } from '../db/opening/store.ts';
import type { Prepare } from '../db/sqlite/statements.ts';
import type { Transaction } from '../db/sqlite/transaction.ts';
import { unmarkedSubscription } from '../exchange/namespace-guard.ts';
import { decodedOf, refused } from '../exchange/wire.ts';
import { inBatches } from '../lib/batches.ts';
import { messageOf } from '../lib/errors.ts';
import { type Decoded, fieldOf } from '../messages/codec.ts';
import type { Message } from '../messages/message.ts';
import { isMessageType, type MessageType, vocabulary } from '../messages/vocabulary.ts';
import type { Surroundings } from './surroundings.ts';

interface InboxOptions extends Pick<Surroundings, 'store' | 'namespace' | 'destinations' | 'onFault'> {
  /** Called with the types of new messages. */
  onRecorded: (types: MessageType[]) => void;
  /** Called with every message, whether it is for us or not. */
  onHeard: () => void;
  /** Called with each broadcast, of any kind. */
  onBroadcast: (delivery: Delivery) => void;
  /** Called once for each unknown execution that a message names. */
  onStray: (executionId: string) => void;
  /** Called for each slice that a worker returns, even if already recorded. */
  onReturned: (message: Message<'slice_returned'>) => void;
  /**
   * Called for each start of a slice, even if already recorded: its worker repeats it, or has started again.
   * @param isOver whether the attempt had ended before this start arrived
   */
  onStarted: (message: Message<'slice_started'>, isOver: boolean) => void;
  /** Called for each new start and result of a slice, once it is recorded. */
  onAttempt: (message: Message<'slice_started'> | Message<'slice_result'>) => void;
  /** Called with each agent that reports on a slice. */
  onWorker: (agent: string) => void;
  /** Called for each registered TF file, even if already recorded: it may be somewhere else now. */
  onRegistered: (message: Message<'tf_file_registered'>) => void;
}

/** The most messages to record in one transaction, and to have in flight unacknowledged. */
const window = 256;

interface Incoming {
  destination: string;
  delivery: Delivery;
  /** The body to record: as read, or as refused. */
  decoded: Decoded;
}

export type Inbox = ReturnType<typeof createInbox>;

/**
 * Records incoming messages in order of arrival, many in one transaction if many have arrived, and then acknowledges
 * them.
 */
export function createInbox(options: InboxOptions) {
  const { store, namespace, destinations, onBroadcast, onHeard, onRecorded, onFault } = options;
  const strays = new Set<string>();
  const add = inBatches<Incoming>(
    window,
    async (batch) => {
      // Never reject a message that is already recorded, even on the wrong destination.
      const fresh = batch.filter(({ delivery }) => !store.messages.isSettled(decodedOf(delivery)));
      const over = new Set(batch.filter(({ decoded }) => isOver(store.sql, decoded)));
      const types = fresh.length === 0 ? [] : await recordAll(fresh, strays, options);
      for (const { delivery } of batch) delivery.acknowledge();
      for (const incoming of batch) note(incoming.decoded, over.has(incoming), options);
      for (const { decoded } of fresh) noteAttempt(decoded, options);
      if (types.length > 0) onRecorded(types);
    },
    onFault,
  );

  function take(destination: string, delivery: Delivery) {
    onHeard();
    if (destination === destinations.broadcast) onBroadcast(delivery);
    // Ignore other namespaces. A message without a namespace is ours.
    if ((delivery.headers['namespace'] ?? fieldOf(decodedOf(delivery), 'namespace') ?? namespace) !== namespace) {
      return delivery.acknowledge();
    }
    add({ destination, delivery, decoded: judge(destination, delivery, options) });
  }

  return {
    /** A topic's messages, while we listen, that name their namespace only in the body, as some programs do. */
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
    /** Records one message at once, and leaves its acknowledgement to the caller. @param refusal records it as rejected, for this reason */
    async record(destination: string, delivery: Delivery, refusal?: string) {
      const decoded = refusal === undefined ? judge(destination, delivery, options) : refused(refusal);
      await recordAll([{ destination, delivery, decoded }], strays, options);
    },
  };
}

/** Accepts a message only on its type's destination: a control message on the control queue, and so on. */
function judge(destination: string, delivery: Delivery, { destinations }: InboxOptions): Decoded {
  const decoded = decodedOf(delivery);
  const type = fieldOf(decoded, 'msg_type');
  if (type === undefined || !isMessageType(type)) return decoded;
  const right = destinations[vocabulary[type].destination];
  return right === destination
    ? decoded
    : refused(`${type} is accepted only from ${right}, but arrived on ${destination}`);
}

/** Records a message that cannot be recorded as rejected. @param strays unknown executions that earlier messages named */
function recordAll(batch: readonly Incoming[], strays: Set<string>, { store, onStray }: InboxOptions) {
  const recordOne = (tx: Transaction, { destination, delivery, decoded }: Incoming): MessageType[] => {
    const received = { destination, body: delivery.body, decoded };
    const recorded = store.messages.recordReceived(tx, received, { fromBroker: true });
    const { isNew, effect_code, execution_id } = recorded;
    // Messages of an unknown execution mean that another store shares this store's namespace and queues.
    if (isNew && effect_code === 'EXECUTION_UNKNOWN' && execution_id !== null && !strays.has(execution_id)) {
      strays.add(execution_id);
      onStray(execution_id);
    }
    const type = fieldOf(decoded, 'msg_type');
    if (!isNew || type === undefined || !isMessageType(type)) return [];
    return [type, ...(recorded.released ?? [])];
  };
  return writeEach(store, batch, recordOne, (tx, incoming, error) =>
    recordOne(tx, { ...incoming, decoded: refused(`cannot be recorded: ${messageOf(error)}`) }),
  );
}

/** Whether a message begins an attempt that has ended. Ask before recording: its result may have arrived with it. */
function isOver(sql: Prepare, decoded: Decoded): boolean {
  if (decoded.kind !== 'message' || decoded.message.msg_type !== 'slice_started') return false;
  const { execution_id = '', slice_filename, attempt } = decoded.message;
  return isAttemptOver(sql, execution_id, slice_filename, attempt);
}

function note(decoded: Decoded, wasOver: boolean, { onWorker, onReturned, onStarted, onRegistered }: InboxOptions) {
  if (decoded.kind !== 'message') return;
  const { message } = decoded;
  if (vocabulary[message.msg_type].destination === 'results') onWorker(message.sender);
  if (message.msg_type === 'slice_returned') onReturned(message);
  else if (message.msg_type === 'slice_started') onStarted(message, wasOver);
  else if (message.msg_type === 'tf_file_registered') onRegistered(message);
}

function noteAttempt(decoded: Decoded, { onAttempt }: InboxOptions) {
  if (decoded.kind !== 'message') return;
  const { message } = decoded;
  if (message.msg_type === 'slice_started' || message.msg_type === 'slice_result') onAttempt(message);
}
