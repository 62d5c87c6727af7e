import { setTimeout as delay } from 'node:timers/promises';

import type { Delivery, StompBus } from '../broker/connection.ts';
import {
  claimListener,
  isSent,
  markSent,
  renewExpiredSlices,
  sliceExpirySeconds,
  takeOverUnsent,
  type UnsentRow,
  unsentRows,
} from '../db/log/outbox.ts';
import { beatSeconds, type LivenessTest } from '../db/presence/leases.ts';
import { preparer } from '../db/sqlite/statements.ts';
import { type MessageType, vocabulary } from '../messages/vocabulary.ts';
import { createIntake, type IntakeOptions, selectorFor } from './inbox.ts';

/**
 * What passes between the log and the broker: rows that this process has to send go out, and what others said comes in.
 *
 * The log is the outbox: a row is marked at the broker's receipt, so a send that is cut off is made again, and whoever gets
 * it twice finds that it is recorded. What comes in is acknowledged when it is recorded.
 */
export interface Exchange {
  /** Rows have been committed that may have to be sent. */
  committed(): void;
  /** Records what came from outside and is no work; as rejected, where a reason is given. */
  record(destination: string, delivery: Delivery, refusal?: string): Promise<void>;
  /** Resolves when the broker has confirmed this message. */
  sent(messageId: string): Promise<void>;
  /** Resolves when nothing is left to send, or after `milliseconds`. */
  flushed(milliseconds: number): Promise<boolean>;
  close(): void;
}

export interface ExchangeOptions extends IntakeOptions {
  stomp: StompBus;
  /** A second connection under the store's client id, for the one process that listens durably. */
  openListener: (clientId: string) => StompBus;
  /** Client id and name of the store's durable subscription. */
  durableName: string;
  processId: number;
  isAlive: LivenessTest;
  /** The message types that this process's agents say: what gone processes left of them is sent from here. */
  speaks: readonly MessageType[];
  /** Whether results are taken from their queue here, where the fast processing agent works. */
  takesResults: boolean;
}

/** Sends under way at a time; stompit dies of too many frames queued when a connection ends. */
const window = 256;
const broadcastExpirySeconds = 24 * 3600;
const renewEverySeconds = 60;

export function createExchange(options: ExchangeOptions): Exchange {
  const { stomp, destinations } = options;
  const outbox = createOutbox(options);
  const intake = createIntake(options);
  stomp.onUp(() => outbox.resend());
  stomp.subscribe(intake.news(destinations.broadcast));
  if (options.takesResults) stomp.subscribe(intake.work('results', destinations.results));
  const upkeep = createUpkeep(options, outbox, intake);
  return {
    committed() {
      outbox.pump();
      outbox.settle();
    },
    record: (destination, delivery, refusal) => intake.record(destination, delivery, refusal),
    sent: (messageId) => outbox.sent(messageId),
    flushed: (milliseconds) => outbox.flushed(milliseconds),
    close() {
      outbox.close();
      upkeep.close();
    },
  };
}

type Outbox = ReturnType<typeof createOutbox>;

/** Sends the rows that belong to this process, many at a time, and marks them at their receipts. */
function createOutbox({ store, stomp, processId, namespace, destinations, onFault }: ExchangeOptions) {
  const sql = preparer(store.db);
  const waiters = new Map<string, (() => void)[]>();
  const receipts: UnsentRow[] = [];
  let noting = false;
  /** Rows that the broker has been given and whose receipt has not been noted. */
  const underWay = new Set<number>();
  let lastSent = 0;
  let closed = false;

  const send = async (row: UnsentRow): Promise<void> => {
    underWay.add(row.seq);
    try {
      const { destination } = vocabulary[row.message_type];
      await stomp.send(destinations[destination], headersOf(row, namespace), row.payload);
      receipts.push(row);
      if (!noting) void noteReceipts();
    } catch {
      // The session is over; all that has no receipt is sent again when the next one is up.
      underWay.delete(row.seq);
    }
  };

  const pump = (): void => {
    if (closed || !stomp.isUp()) return;
    try {
      for (const row of unsentRows(sql, processId, lastSent, window)) {
        if (underWay.size >= window) return;
        lastSent = row.seq;
        if (!underWay.has(row.seq)) void send(row);
      }
    } catch (error) {
      onFault(error);
    }
  };

  /** Whoever waits for a message that another process has sent by now waits no more. */
  const settle = (): void => {
    for (const [id, resolves] of waiters) {
      if (!isSent(sql, id)) continue;
      for (const resolve of resolves) resolve();
      waiters.delete(id);
    }
  };

  const noteReceipts = async (): Promise<void> => {
    noting = true;
    try {
      while (receipts.length > 0) {
        // Whatever has come meanwhile goes into one transaction.
        await new Promise(setImmediate);
        const rows = receipts.splice(0);
        const seqs = rows.map(({ seq }) => seq);
        await store.write(() => markSent(sql, seqs));
        for (const { seq } of rows) underWay.delete(seq);
        settle();
        pump();
      }
    } catch (error) {
      onFault(error);
    } finally {
      noting = false;
    }
  };

  return {
    pump,
    settle,
    resend(): void {
      lastSent = 0;
      pump();
    },
    sent: (messageId: string): Promise<void> =>
      new Promise((resolve) => {
        if (isSent(sql, messageId)) resolve();
        else waiters.set(messageId, [...(waiters.get(messageId) ?? []), resolve]);
      }),
    async flushed(milliseconds: number): Promise<boolean> {
      const deadline = performance.now() + milliseconds;
      while (unsentRows(sql, processId, 0, 1).length > 0) {
        if (performance.now() > deadline) return false;
        await delay(20);
      }
      return true;
    },
    close(): void {
      closed = true;
    },
  };
}

/**
 * Every few seconds: takes over what gone processes have left unsent, renews what has expired, and sees that one process of
 * the store listens durably.
 */
function createUpkeep(options: ExchangeOptions, outbox: Outbox, intake: ReturnType<typeof createIntake>) {
  const { store, processId, isAlive, namespace, destinations, speaks, takesResults, onFault } = options;
  const sql = preparer(store.db);
  let listener: StompBus | undefined;
  let renewedAt = -Infinity;
  let closed = false;

  const listen = (): void => {
    const clientId = options.durableName;
    listener = options.openListener(clientId);
    const headers = { 'activemq.subscriptionName': clientId, selector: selectorFor(namespace) };
    listener.subscribe({ ...intake.work('durable', destinations.broadcast), headers });
  };

  const keepUp = async (): Promise<void> => {
    const renews = takesResults && performance.now() - renewedAt > renewEverySeconds * 1000;
    if (renews) renewedAt = performance.now();
    const { taken, listens } = await store.write(() => {
      if (renews) renewExpiredSlices(sql, processId);
      return {
        taken: takeOverUnsent(sql, processId, speaks, isAlive),
        listens: claimListener(sql, namespace, processId, isAlive),
      };
    });
    if (closed) return;
    if (taken > 0 || renews) outbox.resend();
    if (listens && listener === undefined) listen();
    // Another process has taken the place: two would fight over the client id.
    if (!listens && listener !== undefined) {
      void listener.close();
      listener = undefined;
    }
  };

  const tick = (): void => void keepUp().catch(onFault);
  tick();
  const timer = setInterval(tick, beatSeconds * 1000);
  return {
    close(): void {
      closed = true;
      clearInterval(timer);
      void listener?.close();
    },
  };
}

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
