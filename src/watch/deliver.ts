import { firstUndelivered, isWatcher, noteDelivered, type Undelivered } from '../db/logbook/watching.ts';
import type { Store } from '../db/opening/store.ts';
import { alarmChanges, type AlarmMessageType, sentBy } from '../domain/logbook-words.ts';
import { pause } from '../lib/deadline.ts';
import { backoff } from '../lib/duration.ts';
import { messageOf } from '../lib/errors.ts';
import { claimedName, clipWords, markdownText, withPlainTimes } from '../lib/words.ts';
import { decodeMessage } from '../messages/codec.ts';
import type { Message } from '../messages/message.ts';
import { type Delivery, type Receiver, Refused } from './receiver.ts';

/** How often to look for changes, in milliseconds. */
const lookMilliseconds = 250;

/** Delays before retries, in milliseconds: twice as long each time. */
const retries = { first: 1000, longest: 60_000 };

/** Maximum number of deliveries to one receiver per minute. */
const perMinute = 10;

export interface DeliveryOptions {
  store: Store;
  processId: number;
  /** The address of the page, for links; undefined if unknown. */
  page: string | undefined;
  say: (line: string) => void;
  signal: AbortSignal;
}

/**
 * A change that the receiver refuses this many times in a row is skipped: the receiver may accept later ones.
 */
const maxRefusals = 5;

/** The progress of one receiver. */
interface Standing {
  limit: ReturnType<typeof createRateLimit>;
  /**
   * The newest change that the receiver accepted or that was skipped, even if the store has not recorded that
   * yet.
   */
  done: number;
  failures: number;
  refusals: number;
  /** The change that is being delivered, or that was not accepted. */
  telling?: string;
}

/**
 * Delivers each change of an alarm to one receiver, in order, until the signal is aborted. A change counts
 * as delivered once the receiver has accepted it, so each change is delivered at least once, always with
 * the same id. Receivers do not wait for each other.
 */
export async function deliver(receiver: Receiver, options: DeliveryOptions) {
  const { say, signal } = options;
  const standing: Standing = { limit: createRateLimit(perMinute, 60_000), done: 0, failures: 0, refusals: 0 };
  while (!signal.aborted)
    try {
      const wait = await deliverNext(receiver, options, standing);
      if (wait > 0) await pause(wait, [signal]);
    } catch (error) {
      if (signal.aborted) return;
      standing.failures += 1;
      if (standing.failures === 1)
        say(
          `WARNING ${receiver.name} was not notified of ${standing.telling ?? 'alarms'}: ${messageOf(error)}; retrying`,
        );
      await pause(backoff(standing.failures, retries), [signal]);
    }
}

/**
 * Delivers one change, if there is one.
 * @returns how long to wait before looking for the next, in milliseconds
 */
async function deliverNext(receiver: Receiver, options: DeliveryOptions, standing: Standing) {
  if (!isWatcher(options.store.sql, options.processId)) return lookMilliseconds;
  const next = firstUndelivered(options.store.sql, receiver.key);
  if (next === undefined) return lookMilliseconds;
  // Deliver a change only once, even if the store cannot be written to for a while.
  if (next.seq > standing.done) {
    const wait = standing.limit.wait(performance.now());
    if (wait > 0) return wait;
    standing.limit.note(performance.now());
    await tell(receiver, next, options, standing);
    standing.done = next.seq;
    delete standing.telling;
  }
  await options.store.write((tx) => noteDelivered(tx, receiver.key, next.seq));
  if (standing.failures > 0) options.say(`${receiver.name} accepts alarms again`);
  standing.failures = 0;
  standing.refusals = 0;
  return 0;
}

/** Sends one change. Rejects if the receiver did not accept it and delivery should be retried. */
async function tell(receiver: Receiver, next: Undelivered, options: DeliveryOptions, standing: Standing) {
  const { page, say, signal } = options;
  const delivery = deliveryOf(next, page);
  if (delivery === undefined) {
    say(`WARNING did not notify ${receiver.name} of ${next.message_id}, which cannot be read`);
    return;
  }
  standing.telling = next.message_id;
  try {
    await receiver.tell(delivery, signal);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    standing.refusals += 1;
    if (standing.refusals < maxRefusals) throw error;
    say(`WARNING did not notify ${receiver.name} of ${next.message_id}: ${error.message}, ${maxRefusals} times`);
  }
}

const longestSentence = 600;

/** Formats a text as one line of limited length, as Markdown or plain text. */
type Shown = (text: string, most?: number) => string;

const plainText = (text: string, most = 160) => clipWords(text.replaceAll(/\s+/g, ' ').trim(), most);

const seenBy = ({ author, sender, text }: Message<'alarm_seen'>, shown: Shown) =>
  `${shown(claimedName(author, sentBy({ author, sender })))}${text === undefined ? '' : ` (${shown(text, 300)})`}`;

/** The delivery of a change; undefined if the change can no longer be read. */
function deliveryOf({ message_id, payload }: Undelivered, page: string | undefined): Delivery | undefined {
  const decoded = decodeMessage(payload);
  if (decoded.kind !== 'message') return undefined;
  const message = decoded.message as Message<AlarmMessageType>;
  const { msg_type, code, subject, severity, count, sentence, execution_id, timestamp = '' } = message;
  const change = alarmChanges[msg_type];
  const again = count > 1 ? ` (raised ${count} times)` : '';
  // The sentence of a cleared alarm describes the past.
  const was = msg_type === 'alarm_cleared' ? 'it was: ' : '';
  const link =
    page === undefined || execution_id === undefined
      ? ''
      : ` ${page}#/${encodeURIComponent(execution_id)}?asof=${encodeURIComponent(timestamp)}`;
  const textIn = (shown: Shown) => {
    const by = msg_type === 'alarm_seen' ? ` by ${seenBy(message, shown)}` : '';
    const words = shown(withPlainTimes(sentence), longestSentence);
    return `${severity} ${code} ${change}${by}${again}, ${shown(subject, 300)}: ${was}${words}${link}`;
  };
  return {
    id: message_id,
    text: textIn(markdownText),
    plain: textIn(plainText),
    code,
    subject,
    change,
    severity,
    count,
    seen_by: msg_type === 'alarm_seen' ? message.author : undefined,
    seen_text: msg_type === 'alarm_seen' ? message.text : undefined,
    execution_id,
  };
}

/**
 * Limits how often something is done: at most `most` times in a span. Call `wait` first.
 * @param span milliseconds
 */
export function createRateLimit(most: number, span: number) {
  const times: number[] = [];
  return {
    /** Milliseconds until the next event is allowed. @param now in milliseconds, always from the same clock */
    wait(now: number) {
      const [oldest = -Infinity] = times.slice(-most);
      return times.length < most ? 0 : Math.max(0, oldest + span - now);
    },
    /** Counts one event. @param now in milliseconds */
    note(now: number) {
      times.push(now);
      times.splice(0, times.length - most);
    },
  };
}
