import type { BrokerConnection, Outgoing } from '../broker/connection.ts';
import { backoff } from '../lib/backoff.ts';
import { SwfError } from '../lib/errors.ts';

/** Something that is to be sent. Numbers rise in the order in which it is. */
export interface Sendable {
  seq: number;
}

/** Where the messages of a sender come from, and what becomes of them. */
export interface SendSource<T extends Sendable> {
  /** The items behind a number that are not confirmed, in their order. It may be read in part only, and is asked for again. */
  pending(after: number): Iterable<T>;
  outgoing(item: T): Outgoing;
  /** The broker has these. It resolves when they are no longer pending. */
  confirmed(items: readonly T[]): Promise<void>;
  /** The broker has refused it three times, and it is not sent again. It resolves when it is no longer pending. */
  refused(item: T, error: SwfError): Promise<void>;
  /** Told once of one that was under way each of the so many times that a connection ended: it goes on being tried. */
  onEnds(item: T, times: number): void;
  onFault(error: unknown): void;
}

/** Sends under way at a time; stompit dies of too many frames queued when a connection ends. */
export const sendWindow = 256;

/** After each refusal of a message, how long until it is tried again, in milliseconds. After the last it is not. */
const afterRefusal = [1000, 5000] as const;

/**
 * A message that was under way so often when a connection ended goes alone, and rests before that, so that others are sent: some brokers end a connection
 * in place of a refusal, as RabbitMQ 4.0 does where a full queue rejects a message. It is never left out for that: a bad line is no refusal.
 */
const suspectEnds = 2;
const rests = { first: 1000, longest: 60_000 };

/** It is told once, at so many. */
const maxEnds = 5;

/** The harm that a message did when it was tried before. */
interface Trouble {
  refusals: number;
  ends: number;
}

/**
 * Sends messages again and again until the broker has confirmed each, many at a time and begun in their order. A send that is cut off is made again,
 * so a receiver may get a message twice. A message that the broker refuses again and again is left out: those behind it go on.
 */
export class ConfirmedSender<T extends Sendable> {
  readonly #broker: BrokerConnection;
  readonly #source: SendSource<T>;
  readonly #receipts: T[] = [];
  /** Those that the broker has been given and whose receipt has not been noted. */
  readonly #underWay = new Set<number>();
  readonly #troubles = new Map<number, Trouble>();
  /** Those that are not to be tried yet. */
  readonly #resting = new Set<number>();
  /** Sends that go alone after a session was ended by a refusal: which message it was for is not said. */
  #alone = 0;
  #isNoting = false;
  #lastSent = 0;
  #isClosed = false;

  constructor(broker: BrokerConnection, source: SendSource<T>) {
    this.#broker = broker;
    this.#source = source;
    broker.onUp(() => this.resend());
  }

  /** There may be something new. */
  pump(): void {
    try {
      if (!this.#isClosed && this.#broker.isUp()) this.#sendNext();
    } catch (error) {
      this.#source.onFault(error);
    }
  }

  /** Looks at all that is pending again. */
  resend(): void {
    this.#lastSent = 0;
    this.pump();
  }

  close(): void {
    this.#isClosed = true;
  }

  #sendNext(): void {
    const room = this.#alone > 0 ? 1 : sendWindow;
    for (const item of this.#source.pending(this.#lastSent)) {
      if (this.#resting.has(item.seq)) {
        this.#lastSent = item.seq;
        continue;
      }
      const isAlone = room === 1 || this.#isSuspect(item.seq);
      // Those before a suspect are confirmed first, and those behind it wait.
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

  /** @param isAlone no other is under way */
  async #send(item: T, isAlone: boolean): Promise<void> {
    this.#underWay.add(item.seq);
    try {
      await this.#broker.send(this.#source.outgoing(item));
      this.#alone = Math.max(0, this.#alone - 1);
      this.#troubles.delete(item.seq);
      this.#receipts.push(item);
      if (!this.#isNoting) void this.#noteReceipts();
    } catch (error) {
      // Where the session is over, all that has no receipt is sent again when the next one is up.
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

  /** The connection has ended while it was under way. */
  #noteEnd(item: T): void {
    const trouble = this.#troubleOf(item);
    trouble.ends += 1;
    if (trouble.ends === maxEnds) this.#source.onEnds(item, trouble.ends);
    if (trouble.ends >= suspectEnds) this.#rest(item, backoff(trouble.ends - suspectEnds + 1, rests));
    // The next session may have come up before this was known, and has passed over what was under way.
    if (this.#broker.isUp()) this.resend();
  }

  /** It is passed over for a while. */
  #rest({ seq }: T, milliseconds: number): void {
    this.#resting.add(seq);
    setTimeout(() => {
      this.#resting.delete(seq);
      this.resend();
    }, milliseconds).unref();
  }

  async #noteRefusal(item: T, error: SwfError, isAlone: boolean): Promise<void> {
    const isAttributed = this.#broker.isUp() || isAlone;
    // A refusal that ends the session says nothing of which message it is for. From now on one goes at a time.
    if (!this.#broker.isUp()) this.#alone = sendWindow;
    if (!isAttributed) return;
    const trouble = this.#troubleOf(item);
    trouble.refusals += 1;
    const wait = afterRefusal[trouble.refusals - 1];
    if (wait === undefined) await this.#leaveOut(item, error);
    else this.#rest(item, wait);
    if (this.#broker.isUp()) this.resend();
  }

  async #leaveOut(item: T, error: SwfError): Promise<void> {
    try {
      await this.#source.refused(item, error);
      this.#troubles.delete(item.seq);
    } catch (fault) {
      this.#source.onFault(fault);
    }
  }

  async #noteReceipts(): Promise<void> {
    this.#isNoting = true;
    try {
      while (this.#receipts.length > 0) {
        // Receipts that have come meanwhile are noted together.
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
