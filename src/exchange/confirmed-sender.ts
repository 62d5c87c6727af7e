import type { BrokerConnection, Outgoing } from '../broker/connection.ts';
import { inBatches } from '../lib/batches.ts';
import { backoff } from '../lib/duration.ts';
import { SwfError } from '../lib/errors.ts';

/** The source of a sender's messages, and callbacks for their outcomes. Numbers increase in sending order. */
interface SendSource<T extends { seq: number }> {
  /** The unconfirmed items after a number, in order. The caller may read only some of them, and ask again later. */
  pending: (after: number) => Iterable<T>;
  outgoing: (item: T) => Outgoing;
  /** Called when the broker has these items. Resolves when they are no longer pending. */
  confirmed: (items: readonly T[]) => Promise<void>;
  /**
   * Called when the broker has refused the item three times; the item is not sent again. Resolves when it is no
   * longer pending.
   */
  refused: (item: T, error: SwfError) => Promise<void>;
  /**
   * Called once for an item, when `times` connections have ended while it was in flight. The item is still
   * retried.
   */
  onEnds: (item: T, times: number) => void;
  onFault: (error: unknown) => void;
}

/** How many messages may be in flight; stompit crashes if too many frames are queued when a connection ends. */
export const sendWindow = 256;

/** How long to wait after each refusal of a message, in milliseconds. The next refusal is final. */
const afterRefusal = [1000, 5000] as const;

/**
 * If connections have ended this many times while a message was in flight, the message is set aside while
 * others are sent, and is then sent alone. Some brokers end a connection instead of refusing a message, as
 * RabbitMQ 4.0 does if a full queue rejects it. Such a message is never skipped: a lost connection is not a
 * refusal.
 */
const suspectEnds = 2;
const rests = { first: 1000, longest: 60_000 };

/** A message that was in flight when this many connections ended is reported, once. */
const maxEnds = 5;

/** For operators: what is wrong with a message that was in flight when `times` connections ended. */
export const endsSentence = (times: number) => `sending it broke the connection ${times} times; retrying every minute`;

/** How often a message was refused, and how often a connection ended while it was in flight. */
interface Trouble {
  refusals: number;
  ends: number;
}

/**
 * Sends messages until the broker has confirmed each: starts the sends in order, with many in flight at a time.
 * Repeats an interrupted send, so a receiver may get a message twice. Skips a message that the broker keeps
 * refusing, so that later messages are sent.
 */
export function createConfirmedSender<T extends { seq: number }>(broker: BrokerConnection, source: SendSource<T>) {
  /** Messages sent to the broker that have no receipt yet. */
  const underWay = new Set<number>();
  const troubles = createTroubles(broker, source, resend);
  const noteReceipt = inBatches<T>(Infinity, confirm, source.onFault);
  let lastSent = 0;
  let isClosed = false;

  async function confirm(items: readonly T[]) {
    await source.confirmed(items);
    for (const { seq } of items) underWay.delete(seq);
    pump();
  }

  function pump() {
    try {
      if (!isClosed && broker.isUp()) sendNext();
    } catch (error) {
      source.onFault(error);
    }
  }

  function resend() {
    lastSent = 0;
    pump();
  }

  function sendNext() {
    for (const item of source.pending(lastSent)) {
      const isResting = troubles.isResting(item.seq);
      const isAlone = troubles.goesAlone(item.seq);
      // Messages before a suspect message are confirmed first; messages after it wait.
      const isFull = underWay.size >= (isAlone ? 1 : sendWindow) || troubles.hasSuspect(underWay);
      if (!isResting && isFull) return;
      lastSent = item.seq;
      if (!isResting && !underWay.has(item.seq)) void send(item, isAlone);
    }
  }

  /** @param isAlone whether no other message is in flight */
  async function send(item: T, isAlone: boolean) {
    underWay.add(item.seq);
    try {
      await broker.send(source.outgoing(item));
      troubles.noteReceipt(item);
      noteReceipt(item);
    } catch (error) {
      // If the session has ended, everything without a receipt is sent again in the next session.
      underWay.delete(item.seq);
      if (error instanceof SwfError && error.code === 'BROKER_REFUSED')
        await troubles.noteRefusal(item, error, isAlone);
      else troubles.noteEnd(item);
    }
  }

  broker.onUp(resend);
  // Call `pump` when there may be new items. `resend` goes through all pending items again.
  return { pump, resend, close: () => void (isClosed = true) };
}

/** The messages that were refused, or were in flight when a connection ended. */
function createTroubles<T extends { seq: number }>(
  broker: BrokerConnection,
  { onEnds, refused, onFault }: SendSource<T>,
  resend: () => void,
) {
  const troubles = new Map<number, Trouble>();
  /** Messages that must not be sent again yet. */
  const resting = new Set<number>();
  /** How many messages to send one at a time, after a refusal that ended a session without naming a message. */
  let alone = 0;
  const isSuspect = (seq: number) => (troubles.get(seq)?.ends ?? 0) >= suspectEnds;

  function troubleOf({ seq }: T) {
    const known = troubles.get(seq) ?? { refusals: 0, ends: 0 };
    troubles.set(seq, known);
    return known;
  }

  /** Skips the item for some time. */
  function rest({ seq }: T, milliseconds: number) {
    resting.add(seq);
    setTimeout(() => {
      resting.delete(seq);
      resend();
    }, milliseconds).unref();
  }

  return {
    isResting: (seq: number) => resting.has(seq),
    goesAlone: (seq: number) => alone > 0 || isSuspect(seq),
    hasSuspect: (underWay: ReadonlySet<number>) => troubles.size > 0 && [...underWay].some(isSuspect),
    noteReceipt({ seq }: T) {
      alone = Math.max(0, alone - 1);
      troubles.delete(seq);
    },
    /** Records that the connection ended while the item was in flight. */
    noteEnd(item: T) {
      const trouble = troubleOf(item);
      trouble.ends += 1;
      if (trouble.ends === maxEnds) onEnds(item, trouble.ends);
      if (trouble.ends >= suspectEnds) rest(item, backoff(trouble.ends - suspectEnds + 1, rests));
      // The next session may have begun before the end of this one was noted, and may have skipped items that
      // counted as in flight.
      if (broker.isUp()) resend();
    },
    async noteRefusal(item: T, error: SwfError, isAlone: boolean) {
      const isAttributed = broker.isUp() || isAlone;
      // A refusal that ends the session does not name the refused message, so send one message at a time now.
      if (!broker.isUp()) alone = sendWindow;
      if (!isAttributed) return;
      const trouble = troubleOf(item);
      trouble.refusals += 1;
      const wait = afterRefusal[trouble.refusals - 1];
      if (wait === undefined) await refused(item, error).then(() => troubles.delete(item.seq), onFault);
      else rest(item, wait);
      if (broker.isUp()) resend();
    },
  };
}
