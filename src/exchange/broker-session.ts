import type { BrokerConnection, BrokerSettings, Connect, Delivery } from '../broker/connection.ts';
import { storeId } from '../db/log/store-identity.ts';
import type { LivenessTest } from '../db/presence/leases.ts';
import { pollStore } from '../db/sqlite/store-poller.ts';
import type { Store } from '../db/sqlite/store.ts';
import type { Destinations } from '../messages/destinations.ts';
import { createNotifier, type Notifier } from '../messages/notifier.ts';
import { type MessageType, messageTypes } from '../messages/vocabulary.ts';
import { Inbox } from './inbox.ts';
import { Outbox } from './outbox.ts';
import { Upkeep } from './upkeep.ts';

/** The needs of a process that meets its broker. */
export interface BrokerOptions {
  store: Store;
  namespace: string;
  destinations: Destinations;
  settings: BrokerSettings;
  connect: Connect;
  /** Says to the operator what is amiss. */
  warn: (message: string) => void;
}

/** A process that has been entered into the store. */
export interface SessionOptions {
  processId: number;
  isAlive: LivenessTest;
  /** The message types that its agents say. */
  says: readonly MessageType[];
  onFault: (error: unknown) => void;
}

/** How long a process that ends waits for the broker to confirm its last messages, in milliseconds. */
const farewellMilliseconds = 30_000;

/** The same where somebody waits for the end: what is still unsent goes out with the next process of the store. */
const hurriedMilliseconds = 1000;

/** A wait that is not worth a word. */
const quietMilliseconds = 1000;

/**
 * Connects to the broker.
 * @param patient waits for a broker that is not there yet; otherwise throws `BROKER_UNREACHABLE` or `BROKER_REFUSED`
 * @param signal ends the waiting; the promise is then never settled
 */
export async function connectToBroker(
  { settings, connect, warn }: BrokerOptions,
  { patient, signal }: { patient: boolean; signal?: AbortSignal },
): Promise<BrokerConnection> {
  const broker = connect(settings, (error) => warn(error.line));
  const giveUp = (): void => void broker.close();
  signal?.addEventListener('abort', giveUp);
  await broker.connect({ once: !patient });
  signal?.removeEventListener('abort', giveUp);
  return broker;
}

/** Waits for the broker and begins. Where that fails, no connection is left that would keep the process alive. */
export async function withBroker<T>(
  options: BrokerOptions,
  interrupted: AbortSignal,
  begin: (broker: BrokerConnection) => Promise<T>,
): Promise<T> {
  const broker = await connectToBroker(options, { patient: true, signal: interrupted });
  try {
    return await begin(broker);
  } catch (error) {
    await broker.close();
    throw error;
  }
}

/** The client id, and the name, of a store's durable subscription. */
export const durableName = (id: string, namespace: string): string => `swf.${id}.${namespace}`;

/** Opens the session of a process. */
export async function openBrokerSession(
  broker: BrokerConnection,
  options: BrokerOptions,
  session: SessionOptions,
): Promise<BrokerSession> {
  const id = await options.store.write(storeId);
  return new BrokerSession(broker, durableName(id, options.namespace), options, session);
}

/** Carries messages between the log and the broker while a process lives, and wakes its parts when other processes record. */
export class BrokerSession {
  readonly broker: BrokerConnection;
  readonly destinations: Destinations;
  /** Wakes the parts of this process, whichever process has recorded something. */
  readonly notifier: Notifier;
  readonly #outbox: Outbox;
  readonly #inbox: Inbox;
  readonly #upkeep: Upkeep;
  readonly #endPoll: () => void;
  readonly #warn: (message: string) => void;

  constructor(broker: BrokerConnection, durable: string, options: BrokerOptions, session: SessionOptions) {
    const { store, namespace, destinations, settings, connect, warn } = options;
    const { processId, isAlive, says, onFault } = session;
    this.broker = broker;
    this.destinations = destinations;
    this.#warn = warn;
    // Over a broker time is real or scaled, and nobody waits for everybody to be idle.
    const notifier = createNotifier({ enter: () => {}, leave: () => {} });
    this.notifier = notifier;
    const outbox = new Outbox({ store, broker, processId, namespace, destinations, onFault });
    this.#outbox = outbox;
    const inbox = new Inbox({
      store,
      namespace,
      destinations,
      onFault,
      onRecorded: (types) => notifier.announce(types),
      onStray: (executionId) => warn(strayWarning(executionId, namespace)),
    });
    this.#inbox = inbox;
    broker.subscribe(inbox.news(destinations.broadcast));
    if (says.includes('slice')) broker.subscribe(inbox.work('results', destinations.results));
    const listen = (): BrokerConnection => {
      const listener = connect({ ...settings, clientId: durable }, (error) => warn(error.line));
      void listener.connect({ once: false });
      listener.subscribe({ ...inbox.work('durable', destinations.broadcast), durableName: durable });
      return listener;
    };
    const resend = (): void => outbox.resend();
    this.#upkeep = new Upkeep({ store, processId, namespace, isAlive, says, listen, resend, onFault });
    this.#endPoll = pollStore(store.db, () => {
      notifier.announce(messageTypes);
      outbox.pump();
    });
  }

  /** Rows have been committed that may have to be sent. */
  committed(): void {
    this.#outbox.pump();
  }

  /** Records a delivery as it is, or as rejected for this reason. */
  record(destination: string, delivery: Delivery, refusal?: string): Promise<void> {
    return this.#inbox.record(destination, delivery, refusal);
  }

  /** Resolves when the broker has confirmed this message. */
  sent(messageId: string): Promise<void> {
    return this.#outbox.sent(messageId);
  }

  /** Sends what is left, for a while (a short one, where somebody waits for the end), and closes the connection. */
  async close(isHurried = false): Promise<void> {
    const patience = isHurried ? hurriedMilliseconds : farewellMilliseconds;
    if (!(await this.#outbox.flushed(quietMilliseconds))) {
      this.#warn(`the broker has not confirmed all messages; waiting up to ${patience / 1000} s for it`);
      if (!(await this.#outbox.flushed(patience)))
        this.#warn(
          'some messages are still unconfirmed; the next process of this store that hosts the agent sends them',
        );
    }
    this.#endPoll();
    this.#outbox.close();
    this.#upkeep.close();
    await this.broker.close();
  }
}

const strayWarning = (executionId: string, namespace: string): string =>
  `messages of ${executionId} come here, which this store does not know: another store uses namespace ${namespace} on this broker and loses results to it; give each store a namespace of its own`;
