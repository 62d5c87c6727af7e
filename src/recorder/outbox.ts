import { withNewestPlace } from '../db/execution/file-places.ts';
import { markSent, markUnsendable, type UnsentRow, unsentRows } from '../db/log/outbox.ts';
import type { Store } from '../db/opening/store.ts';
import type { SliceNeeds } from '../domain/slice-returns.ts';
import { createConfirmedSender, endsSentence, sendWindow } from '../exchange/confirmed-sender.ts';
import { expirySeconds, sliceHeaders, wireHeaders } from '../exchange/wire.ts';
import { pause } from '../lib/deadline.ts';
import { brokerRefused, type SwfError } from '../lib/errors.ts';
import { vocabulary } from '../messages/vocabulary.ts';
import type { Basics, Surroundings } from './surroundings.ts';

interface OutboxOptions extends Basics, Pick<Surroundings, 'broker'> {
  /** The destination of results on a broker without selectors. */
  replyTo: () => string | undefined;
  /** Called with a message that the broker refuses. */
  onUnsendable: (messageId: string, error: SwfError) => void;
}

/** How often to check whether the last rows have been sent, in milliseconds. */
const lookMilliseconds = 20;

export type Outbox = ReturnType<typeof createOutbox>;

/**
 * Sends the rows of a namespace, and marks each when the broker confirms it. The log is the outbox: a receiver
 * that gets a message twice finds it already recorded.
 */
export function createOutbox(options: OutboxOptions) {
  const { store, broker, namespace, onUnsendable, onFault } = options;
  const sender = createConfirmedSender<UnsentRow>(broker, {
    pending: (after) => unsentRows(store.sql, namespace, after, sendWindow),
    outgoing: (row) => outgoingOf(row, options),
    confirmed: (rows) => {
      const sent = rows.map(({ seq }) => seq);
      return store.write((tx) => markSent(tx, sent));
    },
    refused: async ({ seq, message_id }, error) => {
      await store.write((tx) => markUnsendable(tx, seq));
      onUnsendable(message_id, error);
    },
    onEnds: ({ message_id }, times) => onUnsendable(message_id, brokerRefused(endsSentence(times))),
    onFault,
  });
  return {
    pump: () => sender.pump(),
    resend: () => sender.resend(),
    close: () => sender.close(),
    /** Resolves with true when nothing is left to send, or with false after `milliseconds`. */
    async flushed(milliseconds: number) {
      const deadline = performance.now() + milliseconds;
      while (unsentRows(store.sql, namespace, 0, 1).length > 0) {
        if (performance.now() > deadline) return false;
        await pause(lookMilliseconds);
      }
      return true;
    },
  };
}

function outgoingOf(row: UnsentRow, options: OutboxOptions) {
  const { store, destinations, namespace, storeId: store_id, replyTo } = options;
  const { message_type } = row;
  const slice = message_type === 'slice' ? sliceOf(row, store) : undefined;
  const reply = slice && replyTo();
  return {
    destination: destinations[vocabulary[message_type].destination],
    headers: {
      ...wireHeaders({ ...row, namespace: row.namespace ?? namespace, store_id }),
      ...(slice === undefined ? {} : sliceHeaders(slice.needs)),
      ...(reply === undefined ? {} : { reply_to: reply }),
    },
    body: slice?.body ?? row.payload,
    expirySeconds: expirySeconds(message_type),
  };
}

/** Updates a slice with the newest location of its file, since the host first named may be gone. */
function sliceOf({ payload }: UnsentRow, { sql }: Store) {
  const recorded = JSON.parse(payload) as SliceNeeds;
  const needs = withNewestPlace(sql, recorded);
  return { needs, body: needs === recorded ? payload : JSON.stringify(needs) };
}

/** A queue that delivers nothing for this long, in milliseconds, counts as empty. */
const quietMilliseconds = 300;

/**
 * The longest time to spend taking leftovers, in milliseconds. Any slices that return to the queue later are
 * dropped by the workers, which acknowledge them.
 */
const longestMilliseconds = 3000;

/**
 * Takes the leftover slices of an ended execution from the queue, so that no worker gets them. On a broker without
 * selectors, workers drop the slices themselves, since they are told that the execution has ended.
 */
export async function takeLeftovers(
  executionId: string,
  { broker, namespace, storeId, destinations }: Pick<Surroundings, 'broker' | 'namespace' | 'storeId' | 'destinations'>,
) {
  if (!broker.isUp() || !broker.hasSelectors()) return;
  let last = performance.now();
  const until = last + longestMilliseconds;
  const id = `leftovers of ${executionId}`;
  broker.subscribe({
    id,
    destination: destinations.slices,
    ack: 'each',
    prefetch: 256,
    only: () => ({ namespace, store: { is: storeId }, execution: executionId }),
    onMessage(delivery) {
      last = performance.now();
      delivery.acknowledge();
    },
  });
  while (performance.now() - last < quietMilliseconds && performance.now() < until) await pause(quietMilliseconds / 4);
  broker.unsubscribe(id);
}
