import { setTimeout as delay } from 'node:timers/promises';

import type { BrokerConnection } from '../broker/connection.ts';
import { withNewestPlace } from '../db/execution/file-places.ts';
import { markSent, markUnsendable, type UnsentRow, unsentRows } from '../db/log/outbox.ts';
import type { Store } from '../db/opening/store.ts';
import type { SliceNeeds } from '../domain/slice-returns.ts';
import { expirySeconds, sliceHeaders, wireHeaders } from '../exchange/wire-headers.ts';
import { SwfError } from '../lib/errors.ts';
import type { Destinations } from '../messages/destinations.ts';
import { vocabulary } from '../messages/vocabulary.ts';

export interface OutboxOptions {
  store: Store;
  broker: BrokerConnection;
  /** Its rows are sent. */
  namespace: string;
  storeId: string;
  destinations: Destinations;
  /** Where results are to go on a broker that cannot choose by headers. */
  replyTo: () => string | undefined;
  /** Told of a message that the broker does not take. */
  onUnsendable: (messageId: string, error: SwfError) => void;
  onFault: (error: unknown) => void;
}

/** Sends under way at a time; stompit dies of too many frames queued when a connection ends. */
const window = 256;

/** After each refusal of a message, how long until it is tried again, in milliseconds. After the last it is not. */
const afterRefusal = [1000, 5000] as const;

/**
 * A message that was under way so often when a connection ended goes alone, and rests before that, so that others are sent: some brokers end a connection
 * in place of a refusal, as RabbitMQ 4.0 does where a full queue rejects a message. It is never left out for that: a bad line is no refusal.
 */
const suspectEnds = 2;
const firstRest = 1000;
const longestRest = 60_000;

/** It is told once, at so many. */
const mostEnds = 5;

/** How often to check whether the last rows are sent, in milliseconds. */
const lookMilliseconds = 20;

/**
 * Sends the rows of a namespace, many at a time, and marks them at the broker's receipts. The log is the outbox: a send that is cut off is made
 * again, and a receiver that gets a message twice finds that it is recorded. A message that the broker refuses again and again is left out:
 * those behind it go on.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #receipts: UnsentRow[] = [];
  /** Rows that the broker has been given and whose receipt has not been noted. */
  readonly #underWay = new Set<number>();
  /** How often the broker has refused each row. */
  readonly #refusals = new Map<number, number>();
  /** Rows that are not to be tried yet. */
  readonly #resting = new Set<number>();
  /** How many connections have ended while each row was under way. */
  readonly #ends = new Map<number, number>();
  /** Sends that go alone after a session was ended by a refusal: which message it was for is not said. */
  #alone = 0;
  #isNoting = false;
  #lastSent = 0;
  #isClosed = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
    options.broker.onUp(() => this.resend());
  }

  /** Rows may have been committed. */
  pump(): void {
    const { broker, onFault } = this.#options;
    try {
      if (!this.#isClosed && broker.isUp()) this.#sendNext();
    } catch (error) {
      onFault(error);
    }
  }

  /** Looks at all unsent rows again. */
  resend(): void {
    this.#lastSent = 0;
    this.pump();
  }

  /** Resolves when nothing is left to send, or after `milliseconds`; with whether nothing is left. */
  async flushed(milliseconds: number): Promise<boolean> {
    const { store, namespace } = this.#options;
    const deadline = performance.now() + milliseconds;
    while (unsentRows(store.sql, namespace, 0, 1).length > 0) {
      if (performance.now() > deadline) return false;
      await delay(lookMilliseconds);
    }
    return true;
  }

  close(): void {
    this.#isClosed = true;
  }

  #sendNext(): void {
    const { store, namespace } = this.#options;
    const most = this.#alone > 0 ? 1 : window;
    for (const row of unsentRows(store.sql, namespace, this.#lastSent, window)) {
      if (this.#resting.has(row.seq)) {
        this.#lastSent = row.seq;
        continue;
      }
      const isAlone = most === 1 || this.#isSuspect(row.seq);
      if (this.#underWay.size >= (isAlone ? 1 : most) || this.#hasSuspectUnderWay()) return;
      this.#lastSent = row.seq;
      if (!this.#underWay.has(row.seq)) void this.#send(row, isAlone);
    }
  }

  #isSuspect(seq: number): boolean {
    return (this.#ends.get(seq) ?? 0) >= suspectEnds;
  }

  #hasSuspectUnderWay(): boolean {
    return this.#ends.size > 0 && [...this.#underWay].some((seq) => this.#isSuspect(seq));
  }

  /** @param isAlone no other is under way */
  async #send(row: UnsentRow, isAlone: boolean): Promise<void> {
    const { broker, destinations, namespace, storeId: store_id, replyTo } = this.#options;
    const { message_type } = row;
    this.#underWay.add(row.seq);
    try {
      const { destination } = vocabulary[message_type];
      const slice = message_type === 'slice' ? this.#sliceOf(row) : undefined;
      const reply = slice === undefined ? undefined : replyTo();
      await broker.send({
        destination: destinations[destination],
        headers: {
          ...wireHeaders({ ...row, namespace: row.namespace ?? namespace, store_id }),
          ...(slice === undefined ? {} : sliceHeaders(slice.needs)),
          ...(reply === undefined ? {} : { reply_to: reply }),
        },
        body: slice?.body ?? row.payload,
        expirySeconds: expirySeconds(message_type),
      });
      this.#alone = Math.max(0, this.#alone - 1);
      this.#refusals.delete(row.seq);
      this.#ends.delete(row.seq);
      this.#receipts.push(row);
      if (!this.#isNoting) void this.#noteReceipts();
    } catch (error) {
      // Where the session is over, all that has no receipt is sent again when the next one is up.
      this.#underWay.delete(row.seq);
      if (error instanceof SwfError && error.code === 'BROKER_REFUSED') await this.#noteRefusal(row, error, isAlone);
      else this.#noteEnd(row);
    }
  }

  /** A slice says where its file was last said to be: the host that had it first may be gone. */
  #sliceOf({ payload }: UnsentRow): { needs: SliceNeeds; body: string } {
    const said = JSON.parse(payload) as SliceNeeds;
    const needs = withNewestPlace(this.#options.store.sql, said);
    return { needs, body: needs === said ? payload : JSON.stringify(needs) };
  }

  /** The connection has ended while a row was under way. */
  #noteEnd({ seq, message_id }: UnsentRow): void {
    const times = (this.#ends.get(seq) ?? 0) + 1;
    this.#ends.set(seq, times);
    if (times === mostEnds)
      this.#options.onUnsendable(
        message_id,
        new SwfError(
          'BROKER_REFUSED',
          `the connection has ended each of the ${times} times that it was sent; it is tried again every minute`,
        ),
      );
    if (times >= suspectEnds) this.#rest(seq, Math.min(longestRest, firstRest * 2 ** (times - suspectEnds)));
    // The next session may have come up before this was known, and has passed over what was under way.
    if (this.#options.broker.isUp()) this.resend();
  }

  /** It is passed over for a while. */
  #rest(seq: number, milliseconds: number): void {
    this.#resting.add(seq);
    setTimeout(() => {
      this.#resting.delete(seq);
      this.resend();
    }, milliseconds).unref();
  }

  async #leaveOut({ seq, message_id }: Pick<UnsentRow, 'seq' | 'message_id'>, error: SwfError): Promise<void> {
    const { store, onFault, onUnsendable } = this.#options;
    try {
      await store.write((tx) => markUnsendable(tx, seq));
      this.#refusals.delete(seq);
      this.#ends.delete(seq);
      onUnsendable(message_id, error);
    } catch (fault) {
      onFault(fault);
    }
  }

  async #noteRefusal(row: UnsentRow, error: SwfError, isAlone: boolean): Promise<void> {
    const { broker } = this.#options;
    const isAttributed = broker.isUp() || isAlone;
    // A refusal that ends the session says nothing of which message it is for. From now on one goes at a time.
    if (!broker.isUp()) this.#alone = window;
    if (!isAttributed) return;
    const times = (this.#refusals.get(row.seq) ?? 0) + 1;
    const wait = afterRefusal[times - 1];
    if (wait === undefined) await this.#leaveOut(row, error);
    else {
      this.#refusals.set(row.seq, times);
      this.#rest(row.seq, wait);
    }
    if (broker.isUp()) this.resend();
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
}
