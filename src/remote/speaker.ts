import { randomUUID } from 'node:crypto';

import type { BrokerConnection } from '../broker/connection.ts';
import { createConfirmedSender, endsSentence } from '../exchange/confirmed-sender.ts';
import { expirySeconds, wireHeaders } from '../exchange/wire.ts';
import { messageOf } from '../lib/errors.ts';
import { utcNow } from '../lib/time.ts';
import type { Destinations } from '../messages/destinations.ts';
import { messageIdOf } from '../messages/identity.ts';
import type { Draft, Message } from '../messages/message.ts';
import { vocabulary } from '../messages/vocabulary.ts';

interface SpeakerOptions {
  broker: BrokerConnection;
  namespace: string;
  destinations: Destinations;
  sender: string;
  warn: (message: string) => void;
}

/** The execution that a message is about, and its recorder. */
export interface About {
  execution_id: string;
  run_id: string | undefined;
  storeId: string | undefined;
  /** Where results are sent, if not to the usual destination. */
  replyTo?: string | undefined;
}

interface Saying {
  /** The message's place among all messages from this process. */
  seq: number;
  draft: Draft;
  about: About;
  /** Milliseconds since 1970. */
  since: number;
  settle: (isTaken: boolean) => void;
}

export type Speaker = ReturnType<typeof createSpeaker>;

/**
 * Sends a remote agent's messages until the broker has confirmed them. The agent has no store: if its
 * process ends before messages are confirmed, the next agent that gets the same request repeats the work.
 */
export function createSpeaker(options: SpeakerOptions) {
  const { broker, warn } = options;
  const waiting = new Set<Saying>();
  let said = 0;
  const settle = (sayings: readonly Saying[], isTaken: boolean) => {
    for (const saying of sayings) waiting.delete(saying);
    for (const saying of sayings) saying.settle(isTaken);
  };
  const sender = createConfirmedSender<Saying>(broker, {
    *pending(after) {
      for (const saying of waiting) if (saying.seq > after) yield saying;
    },
    outgoing: (saying) => outgoingOf(saying, options),
    confirmed: async (sayings) => settle(sayings, true),
    refused: async (saying, error) => {
      warn(`${nameOf(saying)} was not sent: ${error.line}`);
      settle([saying], false);
    },
    onEnds: (saying, times) => warn(`${nameOf(saying)} is not confirmed: ${endsSentence(times)}`),
    onFault: (error) => warn(messageOf(error)),
  });
  /** Resolves with true when the broker has confirmed the message, or with false if the broker refuses it. */
  const say = (draft: Draft, about: About): Promise<boolean> =>
    new Promise((resolve) => {
      said += 1;
      waiting.add({ seq: said, draft, about, since: Date.now(), settle: resolve });
      sender.pump();
    });
  return {
    say,
    /**
     * Asks to end an execution that an agent cannot continue.
     * @param filename the one file that is the cause, or an empty name
     */
    stop(about: About, { reason, filename }: { reason: string; filename: string }): Promise<boolean> {
      const file = filename === '' ? {} : { filename };
      return say({ msg_type: 'stop_workflow', command_id: randomUUID(), state: 'failed', reason, ...file }, about);
    },
    /** The number of unconfirmed messages, and when the oldest was sent, in milliseconds since 1970. */
    unsent() {
      const [oldest] = waiting;
      return { count: waiting.size, oldest: oldest?.since };
    },
  };
}

function outgoingOf({ draft, about }: Saying, { namespace, destinations, sender }: SpeakerOptions) {
  const { execution_id, run_id, storeId: store_id, replyTo } = about;
  const message = { ...draft, sender, namespace, execution_id, run_id, timestamp: utcNow() } as Message;
  const { destination } = vocabulary[draft.msg_type];
  const isReply = destination === 'results' && replyTo !== undefined;
  const message_id = messageIdOf(message);
  const facts = { message_id, message_type: draft.msg_type, namespace, run_id, execution_id, store_id };
  const { namespace: _, ...headers } = wireHeaders(facts);
  return {
    destination: isReply ? replyTo : destinations[destination],
    // A destination named by a recorder is complete: the namespace is not added to it.
    headers: isReply ? headers : { ...headers, namespace },
    body: JSON.stringify({ ...message, message_id }),
    expirySeconds: expirySeconds(draft.msg_type),
  };
}

const nameOf = ({ draft, about }: Saying) => `${draft.msg_type} of ${about.execution_id}`;
