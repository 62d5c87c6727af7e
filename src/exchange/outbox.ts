import { setTimeout as delay } from 'node:timers/promises';

import type { BrokerConnection } from '../broker/connection.ts';
import { isSent, markSent, type UnsentRow, unsentRows } from '../db/log/outbox.ts';
import type { Store } from '../db/sqlite/store.ts';
import type { Destinations } from '../messages/destinations.ts';
import { vocabulary } from '../messages/vocabulary.ts';
import { wireHeaders } from './wire-headers.ts';

export interface OutboxOptions {
  store: Store;
  broker: BrokerConnection;
  /** The rows of this process are sent. */
  processId: number;
  namespace: string;
  destinations: Destinations;
  onFault: (error: unknown) => void;
}

/** Sends under way at a time; stompit dies of too many frames queued when a connection ends. */
const window = 256;

/** How often it is looked whether the last rows are sent, in milliseconds. */
const lookMilliseconds = 20;

/**
 * Sends the rows that belong to this process, many at a time, and marks them at the broker's receipts. The log is the outbox: a send that is
 * cut off is made again, and a receiver that gets a message twice finds that it is recorded.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  /** The waits for a message to be sent. */
  readonly #waiters = new Map<string, (() => void)[]>();
  readonly #receipts: UnsentRow[] = [];
  /** Rows that the broker has been given and whose receipt has not been noted. */
  readonly #underWay = new Set<number>();
  #isNoting = false;
  #lastSent = 0;
  #isClosed = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
    options.broker.onUp(() => this.resend());
  }

  /** Rows may have been committed, or sent by another process. */
  pump(): void {
    const { broker, onFault } = this.#options;
    try {
      if (!this.#isClosed && broker.isUp()) this.#sendNext();
      this.#settle();
    } catch (error) {
      onFault(error);
    }
  }

  /** Looks at all unsent rows again. */
  resend(): void {
    this.#lastSent = 0;
    this.pump();
  }

  /** Resolves when the broker has confirmed this message. */
  sent(messageId: string): Promise<void> {
    return new Promise((resolve) => {
      if (isSent(this.#options.store.sql, messageId)) resolve();
      else this.#waiters.set(messageId, [...(this.#waiters.get(messageId) ?? []), resolve]);
    });
  }

  /** Resolves when nothing is left to send, or after `milliseconds`; with whether nothing is left. */
  async flushed(milliseconds: number): Promise<boolean> {
    const { store, processId } = this.#options;
    const deadline = performance.now() + milliseconds;
    while (unsentRows(store.sql, processId, 0, 1).length > 0) {
      if (performance.now() > deadline) return false;
      await delay(lookMilliseconds);
    }
    return true;
  }

  close(): void {
    this.#isClosed = true;
  }

  #sendNext(): void {
    const { store, processId } = this.#options;
    for (const row of unsentRows(store.sql, processId, this.#lastSent, window)) {
      if (this.#underWay.size >= window) return;
      this.#lastSent = row.seq;
      if (!this.#underWay.has(row.seq)) void this.#send(row);
    }
  }

  async #send(row: UnsentRow): Promise<void> {
    const { broker, destinations, namespace } = this.#options;
    this.#underWay.add(row.seq);
    try {
      const { destination } = vocabulary[row.message_type];
      await broker.send(destinations[destination], wireHeaders(row, namespace), row.payload);
      this.#receipts.push(row);
      if (!this.#isNoting) void this.#noteReceipts();
    } catch {
      // The session is over; all that has no receipt is sent again when the next one is up.
      this.#underWay.delete(row.seq);
    }
  }

  async #noteReceipts(): Promise<void> {
    const { store, onFault } = this.#options;
    this.#isNoting = true;
    try {
      while (this.#receipts.length > 0) {
        // Receipts that have come meanwhile go into one transaction.
        await new Promise(setImmediate);
        const seqs = this.#receipts.splice(0).map(({ seq }) => seq);
        await store.write((tx) => {
          markSent(tx, seqs);
        });
        for (const seq of seqs) this.#underWay.delete(seq);
        this.pump();
      }
    } catch (error) {
      onFault(error);
    } finally {
      this.#isNoting = false;
    }
  }

  /** Ends the waits for messages that this or another process has sent by now. */
  #settle(): void {
    for (const [id, resolves] of this.#waiters) {
      if (!isSent(this.#options.store.sql, id)) continue;
      for (const resolve of resolves) resolve();
      this.#waiters.delete(id);
    }
  }
}
