import type { BrokerConnection, Outgoing } from '../broker/connection.ts';
import { backoff } from '../lib/duration.ts';
import { SwfError } from '../lib/errors.ts';

/** The source of a sender's messages, and callbacks for their outcomes. Numbers increase in sending order. */
interface SendSource<T extends { seq: number }> {
  /** The unconfirmed items after a number, in order. The caller may read only some and ask again. */
  pending(after: number): Iterable<T>;
  outgoing(item: T): Outgoing;
  /** The broker has these items. Resolves when they are no longer pending. */
  confirmed(items: readonly T[]): Promise<void>;
  /**
   * The broker has refused the item three times; it is not sent again. Resolves when it is no longer pending.
   */
  refused(item: T, error: SwfError): Promise<void>;
  /** Called once for an item that was in flight when so many connections ended. It is still retried. */
  onEnds(item: T, times: number): void;
  onFault(error: unknown): void;
}

/** The most sends in flight; stompit crashes if too many frames are queued when a connection ends. */
export const sendWindow = 256;

/** How long to wait after each refusal of a message, in milliseconds. The refusal after these is final. */
const afterRefusal = [1000, 5000] as const;

/**
 * A message in flight at this many ends of a connection rests, so that others are sent, and is then sent
 * alone: some brokers end a connection instead of refusing a message, as RabbitMQ 4.0 does if a full queue
 * rejects it. It is never skipped for that: a bad line is not a refusal.
 */
const suspectEnds = 2;
const rests = { first: 1000, longest: 60_000 };

/** The number of ends to report, once. */
const maxEnds = 5;

/** For operators: what is wrong with a message that was in flight at `times` ends of its connection. */
export const endsSentence = (times: number) => `sending it broke the connection ${times} times; retrying every minute`;

/** The harm that a message did in earlier tries. */
interface Trouble {
  refusals: number;
  ends: number;
}

/**
 * Sends messages until the broker has confirmed each, many at a time and started in order. Repeats an
 * interrupted send, so a receiver may get a message twice. Skips a message that the broker keeps refusing, so
 * that later messages are sent.
 */
export class ConfirmedSender<T extends { seq: number }> {
  readonly #broker: BrokerConnection;
  readonly #source: SendSource<T>;
  readonly #receipts: T[] = [];
  /** Messages that the broker was given, without a receipt so far. */
  readonly #underWay = new Set<number>();
  readonly #troubles = new Map<number, Trouble>();
  /** Messages not to be tried yet. */
  readonly #resting = new Set<number>();
  /** Sends to make one at a time after a refusal ended a session: it does not say which message it is for. */
  #alone = 0;
  #isNoting = false;
  #lastSent = 0;
  #isClosed = false;

  constructor(broker: BrokerConnection, source: SendSource<T>) {
    this.#broker = broker;
    this.#source = source;
    broker.onUp(() => this.resend());
  }

  /** Call when there may be new items. */
  pump(): void {
    try {
      if (!this.#isClosed && this.#broker.isUp()) this.#sendNext();
    } catch (error) {
      this.#source.onFault(error);
    }
  }

  /** Looks at everything pending again. */
  resend(): void {
    this.#lastSent = 0;
    this.pump();
  }

  close(): void {
    this.#isClosed = true;
  }

  #sendNext() {
    const room = this.#alone > 0 ? 1 : sendWindow;
    for (const item of this.#source.pending(this.#lastSent)) {
      if (this.#resting.has(item.seq)) {
        this.#lastSent = item.seq;
        continue;
      }
      const isAlone = room === 1 || this.#isSuspect(item.seq);
      // Messages before a suspect are confirmed first; messages after it wait.
      if (this.#underWay.size >= (isAlone ? 1 : room) || this.#hasSuspectUnderWay()) return;
      this.#lastSent = item.seq;
      if (!this.#underWay.has(item.seq)) void this.#send(item, isAlone);
    }
  }

  #isSuspect(seq: number): boolean {
    return (this.#troubles.get(seq)?.ends ?? 0) >= suspectEnds;
  }

  #hasSuspectUnderWay(): boolean {
    return this.#troubles.size > 0 && [...this.#underWay].some((seq) => this.#isSuspect(seq));
  }

  /** @param isAlone no other is in flight */
  async #send(item: T, isAlone: boolean) {
    this.#underWay.add(item.seq);
    try {
      await this.#broker.send(this.#source.outgoing(item));
      this.#alone = Math.max(0, this.#alone - 1);
      this.#troubles.delete(item.seq);
      this.#receipts.push(item);
      if (!this.#isNoting) void this.#noteReceipts();
    } catch (error) {
      // If the session has ended, everything without a receipt is sent again in the next one.
      this.#underWay.delete(item.seq);
      if (error instanceof SwfError && error.code === 'BROKER_REFUSED') await this.#noteRefusal(item, error, isAlone);
      else this.#noteEnd(item);
    }
  }

  #troubleOf({ seq }: T): Trouble {
    const known = this.#troubles.get(seq) ?? { refusals: 0, ends: 0 };
    this.#troubles.set(seq, known);
    return known;
  }

  /** Notes that the connection ended while the item was in flight. */
  #noteEnd(item: T) {
    const trouble = this.#troubleOf(item);
    trouble.ends += 1;
    if (trouble.ends === maxEnds) this.#source.onEnds(item, trouble.ends);
    if (trouble.ends >= suspectEnds) this.#rest(item, backoff(trouble.ends - suspectEnds + 1, rests));
    // The next session may have come up before this was known, and skipped items in flight.
    if (this.#broker.isUp()) this.resend();
  }

  /** Skips the item for a while. */
  #rest({ seq }: T, milliseconds: number) {
    this.#resting.add(seq);
    setTimeout(() => {
      this.#resting.delete(seq);
      this.resend();
    }, milliseconds).unref();
  }

  async #noteRefusal(item: T, error: SwfError, isAlone: boolean) {
    const isAttributed = this.#broker.isUp() || isAlone;
    // A refusal that ends the session does not say which message it is for. From now on, send one at a time.
    if (!this.#broker.isUp()) this.#alone = sendWindow;
    if (!isAttributed) return;
    const trouble = this.#troubleOf(item);
    trouble.refusals += 1;
    const wait = afterRefusal[trouble.refusals - 1];
    if (wait === undefined) await this.#leaveOut(item, error);
    else this.#rest(item, wait);
    if (this.#broker.isUp()) this.resend();
  }

  async #leaveOut(item: T, error: SwfError) {
    try {
      await this.#source.refused(item, error);
      this.#troubles.delete(item.seq);
    } catch (fault) {
      this.#source.onFault(fault);
    }
  }

  async #noteReceipts() {
    this.#isNoting = true;
    try {
      while (this.#receipts.length > 0) {
        // Note receipts that have come meanwhile together.
        await new Promise(setImmediate);
        const items = this.#receipts.splice(0);
        await this.#source.confirmed(items);
        for (const { seq } of items) this.#underWay.delete(seq);
        this.pump();
      }
    } catch (error) {
      this.#source.onFault(error);
    } finally {
      this.#isNoting = false;
    }
  }
}
