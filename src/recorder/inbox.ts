import type { Delivery, Subscription } from '../broker/connection.ts';
import type { Recorded } from '../db/log/rows.ts';
import { writeEach } from '../db/opening/write-each.ts';
import type { Transaction } from '../db/sqlite/transaction.ts';
import { unmarkedSubscription } from '../exchange/namespace-guard.ts';
import { decodedOf, refused } from '../exchange/wire.ts';
import { messageOf } from '../lib/errors.ts';
import { type Decoded, fieldOf } from '../messages/codec.ts';
import type { Message } from '../messages/message.ts';
import { isMessageType, type MessageType, vocabulary } from '../messages/vocabulary.ts';
import type { Surroundings } from './surroundings.ts';

interface InboxOptions extends Pick<Surroundings, 'store' | 'namespace' | 'destinations' | 'onFault'> {
  /** Called with the types of new messages. */
  onRecorded: (types: MessageType[]) => void;
  /** Called with every message, for us or not. */
  onHeard: () => void;
  /** Called with each broadcast, of any kind. */
  onBroadcast: (delivery: Delivery) => void;
  /** Called once for each unknown execution heard of here. */
  onStray: (executionId: string) => void;
  /** Called for each slice that a worker returns, even if already recorded. */
  onReturned: (message: Message<'slice_returned'>) => void;
  /** Called for each start of a slice, even if already recorded: its worker repeats it, or has begun anew. */
  onStarted: (message: Message<'slice_started'>) => void;
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
  /** The body as it is recorded: as read, or as refused. */
  decoded: Decoded;
}

/** Records incoming messages in order of arrival, many in one transaction if many have come, and then acknowledges them. */
export class Inbox {
  readonly #options: InboxOptions;
  readonly #waiting: Incoming[] = [];
  readonly #strays = new Set<string>();
  #isWorking = false;

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  /** A topic's messages, while we listen, that name their namespace only in the body, as some programs do. */
  unmarked(destination: string): Subscription {
    return unmarkedSubscription(destination, (from, delivery) => this.#take(from, delivery));
  }

  /**
   * Messages that the broker keeps for us until we acknowledge them.
   * @param place where they come from, if not from the destination that they are meant for
   */
  work(id: string, destination: string, { store, place }: { store?: string; place?: string } = {}): Subscription {
    const { namespace } = this.#options;
    return {
      id,
      destination: place ?? destination,
      ack: 'each',
      ...(place === undefined
        ? { only: () => ({ namespace, ...(store === undefined ? {} : { store: { is: store } }) }) }
        : {}),
      prefetch: window,
      onMessage: (delivery) => this.#take(destination, delivery),
    };
  }

  /** Records one message at once, and leaves its acknowledgement to the caller. @param refusal records it as rejected, for this reason */
  async record(destination: string, delivery: Delivery, refusal?: string): Promise<void> {
    const decoded = refusal === undefined ? this.#judge(destination, delivery) : refused(refusal);
    await this.#recordAll([{ destination, delivery, decoded }]);
  }

  #take(destination: string, delivery: Delivery) {
    const { namespace, destinations, onBroadcast, onHeard } = this.#options;
    onHeard();
    if (destination === destinations.broadcast) onBroadcast(delivery);
    // Ignore other namespaces. A message without a namespace is ours.
    if ((delivery.headers['namespace'] ?? fieldOf(decodedOf(delivery), 'namespace') ?? namespace) !== namespace) {
      delivery.acknowledge();
      return;
    }
    this.#waiting.push({ destination, delivery, decoded: this.#judge(destination, delivery) });
    if (!this.#isWorking) void this.#drain();
  }

  /** Accepts a message only on its type's destination: a control message on the control queue, and so on. */
  #judge(destination: string, delivery: Delivery): Decoded {
    const decoded = decodedOf(delivery);
    const type = fieldOf(decoded, 'msg_type');
    if (type === undefined || !isMessageType(type)) return decoded;
    const right = this.#options.destinations[vocabulary[type].destination];
    return right === destination ? decoded : refused(`${type} is taken from ${right}, and came on ${destination}`);
  }

  async #drain() {
    const { store, onRecorded, onFault } = this.#options;
    this.#isWorking = true;
    try {
      while (this.#waiting.length > 0) {
        await new Promise(setImmediate);
        const batch = this.#waiting.splice(0, window);
        // Never reject a message that is already recorded, even on the wrong destination.
        const fresh = batch.filter(({ delivery }) => !store.messages.isSettled(decodedOf(delivery)));
        const types = fresh.length === 0 ? [] : await this.#recordAll(fresh);
        for (const { delivery } of batch) delivery.acknowledge();
        for (const incoming of batch) this.#note(incoming);
        for (const { decoded } of fresh) this.#noteAttempt(decoded);
        if (types.length > 0) onRecorded(types);
      }
    } catch (error) {
      onFault(error);
    } finally {
      this.#isWorking = false;
    }
  }

  /** Records a message that cannot be recorded as rejected. */
  #recordAll(batch: readonly Incoming[]): Promise<MessageType[]> {
    return writeEach(
      this.#options.store,
      batch,
      (tx, incoming) => this.#recordOne(tx, incoming),
      (tx, incoming, error) =>
        this.#recordOne(tx, { ...incoming, decoded: refused(`cannot be recorded: ${messageOf(error)}`) }),
    );
  }

  #recordOne(tx: Transaction, { destination, delivery, decoded }: Incoming): MessageType[] {
    const received = { destination, body: delivery.body, decoded };
    const recorded = this.#options.store.messages.recordReceived(tx, received, { fromBroker: true });
    this.#noteStray(recorded);
    const type = fieldOf(decoded, 'msg_type');
    if (!recorded.isNew || type === undefined || !isMessageType(type)) return [];
    return [type, ...(recorded.released ?? [])];
  }

  #note({ decoded }: Incoming) {
    if (decoded.kind !== 'message') return;
    const { message } = decoded;
    if (vocabulary[message.msg_type].destination === 'results') this.#options.onWorker(message.sender);
    if (message.msg_type === 'slice_returned') this.#options.onReturned(message);
    else if (message.msg_type === 'slice_started') this.#options.onStarted(message);
    else if (message.msg_type === 'tf_file_registered') this.#options.onRegistered(message);
  }

  #noteAttempt(decoded: Decoded) {
    if (decoded.kind !== 'message') return;
    const { message } = decoded;
    if (message.msg_type === 'slice_started' || message.msg_type === 'slice_result') this.#options.onAttempt(message);
  }

  /** Messages of an unknown execution mean that another store shares this store's namespace and queues. */
  #noteStray({ isNew, effect_code, execution_id }: Recorded) {
    if (!isNew || effect_code !== 'EXECUTION_UNKNOWN' || execution_id === null) return;
    if (this.#strays.has(execution_id)) return;
    this.#strays.add(execution_id);
    this.#options.onStray(execution_id);
  }
}
