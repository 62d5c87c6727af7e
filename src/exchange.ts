import {
  destinations as standardDestinations,
  type MessageType,
  messageTypes,
  vocabulary,
  type DestinationName,
} from './bus/messages.ts';
import type { Delivery, StompBus, Subscription } from './bus/stomp-bus.ts';
import {
  claimListener,
  isSent,
  markSent,
  renewExpiredSlices,
  sliceExpirySeconds,
  takeOverUnsent,
  type UnsentRow,
  unsentRows,
} from './db/outbox.ts';
import { beatSeconds, type LivenessTest } from './db/owners.ts';
import type { Recorder } from './db/record.ts';
import { preparer } from './db/statements.ts';
import type { Store } from './db/store.ts';

/**
 * What passes between the log and the broker: rows that this process has to send go out, and what others said comes in.
 *
 * The log is the outbox: a row is marked at the broker's receipt, so a send that is cut off is made again, and whoever gets
 * it twice finds that it is recorded. What comes in is acknowledged when it is recorded.
 */
export interface Exchange {
  /** Rows have been committed that may have to be sent. */
  committed(): void;
  /** Resolves when the broker has confirmed this message. */
  sent(messageId: string): Promise<void>;
  /** Resolves when nothing is left to send, or after `milliseconds`. */
  flushed(milliseconds: number): Promise<boolean>;
  close(): void;
}

export interface ExchangeOptions {
  store: Store;
  recorder: Recorder;
  stomp: StompBus;
  /** A second connection under the store's client id, for the one process that listens durably. */
  openListener: (clientId: string) => Promise<StompBus>;
  storeId: string;
  namespace: string;
  processId: number;
  isAlive: LivenessTest;
  /** The message types that this process's agents say: what gone processes left of them is sent from here. */
  speaks: readonly MessageType[];
  /** Whether results are taken from their queue here, where the fast processing agent works. */
  takesResults: boolean;
  destinations?: Readonly<Record<DestinationName, string>>;
  /** Told which types came in and were new. */
  onRecorded: (types: MessageType[]) => void;
  onFault: (error: unknown) => void;
}

/** Sends under way at a time; stompit dies of too many frames queued when a connection ends. */
const window = 256;
const broadcastExpirySeconds = 24 * 3600;
const renewEverySeconds = 60;

export function createExchange(options: ExchangeOptions): Exchange {
  const { store, stomp, processId, isAlive, namespace, onFault } = options;
  const destinations = options.destinations ?? standardDestinations;
  const sql = preparer(store.db);
  const sentWaiters = new Map<string, (() => void)[]>();
  const receipts: UnsentRow[] = [];
  let flushing = false;
  let lastSent = 0;
  let underWay = 0;
  let listener: StompBus | undefined;
  let closed = false;

  const send = async (row: UnsentRow): Promise<void> => {
    underWay += 1;
    try {
      await stomp.send(destinations[vocabulary[row.message_type].destination], headersOf(row, namespace), row.payload);
      receipts.push(row);
      if (!flushing) void noteReceipts();
    } catch {
      // The session is over; all that has no receipt is sent again when the next one is up.
    } finally {
      underWay -= 1;
    }
  };

  const pump = (): void => {
    if (closed || !stomp.isUp() || underWay >= window) return;
    for (const row of unsentRows(sql, processId, lastSent, window - underWay)) {
      lastSent = row.seq;
      void send(row);
    }
  };

  const noteReceipts = async (): Promise<void> => {
    flushing = true;
    try {
      while (receipts.length > 0) {
        // Whatever has come meanwhile goes into one transaction.
        await new Promise(setImmediate);
        const rows = receipts.splice(0);
        await store.write(() =>
          markSent(
            sql,
            rows.map(({ seq }) => seq),
          ),
        );
        for (const { message_id } of rows) {
          for (const resolve of sentWaiters.get(message_id) ?? []) resolve();
          sentWaiters.delete(message_id);
        }
        pump();
      }
    } catch (error) {
      onFault(error);
    } finally {
      flushing = false;
    }
  };

  const resend = (): void => {
    lastSent = 0;
    pump();
  };
  stomp.onUp(resend);

  const intake = createIntake(options);
  stomp.subscribe(intake.news(destinations.broadcast));
  if (options.takesResults) stomp.subscribe(intake.work('results', destinations.results));

  let renewed = 0;
  const upkeep = async (): Promise<void> => {
    const renew = performance.now() - renewed > renewEverySeconds * 1000;
    if (renew) renewed = performance.now();
    const listens = await store.write(() => {
      if (takeOverUnsent(sql, processId, options.speaks, isAlive) > 0) lastSent = 0;
      if (renew && options.takesResults) renewExpiredSlices(sql, processId);
      return claimListener(sql, namespace, processId, isAlive);
    });
    if (renew) lastSent = 0;
    pump();
    if (listens && listener === undefined && !closed) {
      const clientId = `swf.${options.storeId}.${namespace}`;
      listener = await options.openListener(clientId);
      listener.subscribe({
        ...intake.work('durable', destinations.broadcast),
        headers: { 'activemq.subscriptionName': clientId, selector: selectorFor(namespace) },
      });
    }
  };
  const keepUp = (): void => void upkeep().catch(onFault);
  keepUp();
  const timer = setInterval(keepUp, beatSeconds * 1000);

  return {
    committed: pump,
    sent: (messageId) =>
      new Promise((resolve) => {
        if (isSent(sql, messageId)) resolve();
        else sentWaiters.set(messageId, [...(sentWaiters.get(messageId) ?? []), resolve]);
      }),
    async flushed(milliseconds) {
      const deadline = performance.now() + milliseconds;
      while (unsentRows(sql, processId, 0, 1).length > 0) {
        if (performance.now() > deadline) return false;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return true;
    },
    close() {
      closed = true;
      clearInterval(timer);
      void listener?.close();
    },
  };
}

/** Only messages of this namespace are taken. Namespaces hold no quotes (configuration). */
export const selectorFor = (namespace: string): string => `namespace = '${namespace}'`;

function headersOf(row: UnsentRow, namespace: string): Record<string, string> {
  const expiry = vocabulary[row.message_type].destination === 'slices' ? sliceExpirySeconds : broadcastExpirySeconds;
  return {
    'content-type': 'application/json',
    msg_type: row.message_type,
    namespace: row.namespace ?? namespace,
    ...(row.run_id === null ? {} : { run_id: row.run_id }),
    vo: 'eic',
    persistent: 'true',
    // Results are the only copy of work done: they do not expire.
    ...(vocabulary[row.message_type].destination === 'results' ? {} : { expires: String(Date.now() + expiry * 1000) }),
  };
}

/** Records what comes in, in the order of its coming, many in one transaction where many have come. */
function createIntake({ store, recorder, namespace, onRecorded, onFault }: ExchangeOptions) {
  const waiting: { destination: string; delivery: Delivery }[] = [];
  let working = false;

  const drain = async (): Promise<void> => {
    working = true;
    try {
      while (waiting.length > 0) {
        await new Promise(setImmediate);
        const batch = waiting.splice(0, window);
        const unknown = batch.filter(
          ({ delivery }) => delivery.cutFrom !== undefined || !recorder.isRecorded(delivery.body),
        );
        const types =
          unknown.length === 0
            ? []
            : await store.write(() => unknown.flatMap(({ destination, delivery }) => recordOne(destination, delivery)));
        for (const { delivery } of batch) delivery.acknowledge();
        if (types.length > 0) onRecorded(types);
      }
    } catch (error) {
      onFault(error);
    } finally {
      working = false;
    }
  };

  const recordOne = (destination: string, { body, cutFrom }: Delivery): MessageType[] => {
    const tooLarge =
      cutFrom === undefined ? {} : { unreadable: `a body of ${cutFrom} bytes is too large; its beginning is kept` };
    const { isNew } = recorder.recordBody(destination, body, { fromBroker: true, ...tooLarge });
    const type = typeOf(body);
    return isNew && type !== undefined ? [type] : [];
  };

  const take = (destination: string) => (delivery: Delivery) => {
    // On a topic everybody is heard; other namespaces are none of ours.
    if ((delivery.headers['namespace'] ?? namespaceOf(delivery.body) ?? namespace) !== namespace) {
      delivery.acknowledge();
      return;
    }
    waiting.push({ destination, delivery });
    if (!working) void drain();
  };

  return {
    news: (destination: string): Subscription => ({
      id: 'news',
      destination,
      ack: 'auto',
      onMessage: take(destination),
    }),
    work: (id: string, destination: string): Subscription => ({
      id,
      destination,
      ack: 'client-individual',
      headers: { selector: selectorFor(namespace), 'activemq.prefetchSize': String(window) },
      onMessage: take(destination),
    }),
  };
}

function fieldOf(body: string, field: string): unknown {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>)[field] : undefined;
  } catch {
    return undefined;
  }
}

function namespaceOf(body: string): string | undefined {
  const value = fieldOf(body, 'namespace');
  return typeof value === 'string' ? value : undefined;
}

function typeOf(body: string): MessageType | undefined {
  const value = fieldOf(body, 'msg_type');
  return messageTypes.find((type) => type === value);
}
