import { firstUndelivered, noteDelivered, type Undelivered } from '../db/logbook/receivers.ts';
import { isWatcher } from '../db/logbook/watching.ts';
import type { Store } from '../db/opening/store.ts';
import { backoff } from '../lib/backoff.ts';
import { pause } from '../lib/deadline.ts';
import { messageOf } from '../lib/errors.ts';
import { markdownText } from '../lib/markdown.ts';
import { decodeRecorded } from '../messages/codec.ts';
import type { Message } from '../messages/message.ts';
import { RateLimit } from './rate-limit.ts';
import type { Delivery, Receiver } from './receiver.ts';

/** How often it is looked for changes, in milliseconds. */
const lookMilliseconds = 250;

/** Tries after a failed one, in milliseconds: twice as long each time. */
const retries = { first: 1000, longest: 60_000 };

/** Deliveries to one receiver in a minute. */
const perMinute = 10;

export interface DeliveryOptions {
  store: Store;
  processId: number;
  /** The address of the page, for a link; undefined where nobody has told it. */
  page: string | undefined;
  say: (line: string) => void;
  signal: AbortSignal;
}

/**
 * Tells one receiver of each change of an alarm, in their order, until the signal. A change is noted as told once the receiver has taken it, so each is told at
 * least once, with the same id. Receivers do not wait for each other.
 */
export async function deliver(
  receiver: Receiver,
  { store, processId, page, say, signal }: DeliveryOptions,
): Promise<void> {
  const limit = new RateLimit(perMinute, 60_000);
  let failures = 0;
  while (!signal.aborted) {
    const next = isWatcher(store.sql, processId) ? firstUndelivered(store.sql, receiver.key) : undefined;
    const wait = next === undefined ? lookMilliseconds : limit.wait(performance.now());
    if (next === undefined || wait > 0) {
      await pause(wait, [signal]);
      continue;
    }
    limit.note(performance.now());
    try {
      await receiver.tell(deliveryOf(next, page), signal);
      await store.write((tx) => noteDelivered(tx, receiver.key, next.seq));
      if (failures > 0) say(`${receiver.name} takes alarms again`);
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      if (failures === 1)
        say(`WARNING ${receiver.name} was not told of ${next.message_id}: ${messageOf(error)}; it is tried again`);
      await pause(backoff(failures, retries), [signal]);
    }
  }
}

const words = { alarm_raised: 'raised', alarm_seen: 'seen', alarm_cleared: 'cleared' } as const;

const longestSentence = 600;

function deliveryOf({ message_id, payload }: Undelivered, page: string | undefined): Delivery {
  const said = decodeRecorded(payload) as Message<keyof typeof words>;
  const { msg_type, code, subject, severity, count, sentence, execution_id, timestamp = '' } = said;
  const change = words[msg_type];
  const by = msg_type === 'alarm_seen' ? ` by ${markdownText(said.author)}` : '';
  const again = count > 1 ? ` (${count}. time)` : '';
  const link =
    page === undefined || execution_id === undefined
      ? ''
      : ` ${page}#/${encodeURIComponent(execution_id)}?asof=${encodeURIComponent(timestamp)}`;
  return {
    id: message_id,
    text: `${severity} ${code} ${change}${by}${again}, ${markdownText(subject, 300)}: ${markdownText(sentence, longestSentence)}${link}`,
    code,
    subject,
    change,
    severity,
    count,
    ...(execution_id === undefined ? {} : { execution_id }),
  };
}
