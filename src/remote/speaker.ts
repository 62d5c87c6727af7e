import { randomUUID } from 'node:crypto';

import type { BrokerConnection } from '../broker/connection.ts';
import { expirySeconds, wireHeaders } from '../exchange/wire-headers.ts';
import { SwfError } from '../lib/errors.ts';
import { utcNow } from '../lib/time.ts';
import type { Destinations } from '../messages/destinations.ts';
import { messageIdOf } from '../messages/identity.ts';
import type { Draft, Message } from '../messages/message.ts';
import { vocabulary } from '../messages/vocabulary.ts';

export interface SpeakerOptions {
  broker: BrokerConnection;
  namespace: string;
  destinations: Destinations;
  /** The agent that speaks. */
  sender: string;
  warn: (message: string) => void;
}

/** The execution that something is said of, and its recorder. */
export interface About {
  execution_id: string;
  run_id: string | undefined;
  storeId: string | undefined;
  /** Where results go, where that is no usual place. */
  replyTo?: string | undefined;
}

interface Saying {
  draft: Draft;
  about: About;
  /** Milliseconds since 1970. */
  since: number;
  refusals: number;
  /** Connections that have ended while it was under way. */
  ends: number;
  isUnderWay: boolean;
  rests: boolean;
  settle: (isTaken: boolean) => void;
}

/** Sends under way at a time; stompit dies of too many frames queued when a connection ends. */
const window = 256;

/** A message that the broker refuses so often is not sent again. */
const mostRefusals = 3;

/**
 * One that was under way so often when a connection ended goes alone, and rests before that, so that others are said: some brokers end a connection
 * in place of a refusal. It is never given up for that: a bad line is no refusal.
 */
const suspectEnds = 2;
const firstRest = 1000;
const longestRest = 60_000;

/** It is told once, at so many. */
const mostEnds = 5;

const endsSentence = ({ draft, about, ends }: Saying): string =>
  `${draft.msg_type} of ${about.execution_id} is not confirmed: the connection has ended each of the ${ends} times that it was sent; it is tried again every minute`;

const isSuspect = ({ ends }: Saying): boolean => ends >= suspectEnds;

/**
 * Says what a remote agent has to say, in its order, again and again until the broker has confirmed it. It has no store: what it has not been
 * able to say when its process ends is done again by the next that is handed the same message.
 */
export class Speaker {
  readonly #options: SpeakerOptions;
  readonly #waiting = new Set<Saying>();

  constructor(options: SpeakerOptions) {
    this.#options = options;
    options.broker.onUp(() => this.#pump());
  }

  /** Resolves when the broker has confirmed it; with false where the broker does not take it. */
  say(draft: Draft, about: About): Promise<boolean> {
    return new Promise((resolve) => {
      const saying: Saying = {
        draft,
        about,
        since: Date.now(),
        refusals: 0,
        ends: 0,
        isUnderWay: false,
        rests: false,
        settle: (isTaken) => {
          this.#waiting.delete(saying);
          resolve(isTaken);
          this.#pump();
        },
      };
      this.#waiting.add(saying);
      this.#pump();
    });
  }

  /**
   * Asks to end an execution that an agent cannot go on with.
   * @param why with the one file that is the cause; empty where there is none
   */
  stop(about: About, why: { reason: string; filename: string }): Promise<boolean> {
    const { reason, filename } = why;
    const draft: Draft<'stop_workflow'> = {
      msg_type: 'stop_workflow',
      command_id: randomUUID(),
      state: 'failed',
      reason,
      ...(filename === '' ? {} : { filename }),
    };
    return this.say(draft, about);
  }

  /** Messages that the broker has not confirmed; since when the oldest waits, in milliseconds since 1970. */
  unsent(): { count: number; oldest: number | undefined } {
    const [oldest] = this.#waiting;
    return { count: this.#waiting.size, oldest: oldest?.since };
  }

  #pump(): void {
    if (!this.#options.broker.isUp()) return;
    let room = window;
    for (const saying of this.#waiting) {
      if (saying.rests) continue;
      // Those before it are confirmed first, and those behind it wait.
      if (room === 0 || (isSuspect(saying) && room < window)) return;
      room = isSuspect(saying) ? 0 : room - 1;
      if (!saying.isUnderWay) void this.#send(saying);
    }
  }

  async #send(saying: Saying): Promise<void> {
    const { broker, warn } = this.#options;
    saying.isUnderWay = true;
    try {
      await broker.send(this.#outgoing(saying));
      saying.settle(true);
    } catch (error) {
      saying.isUnderWay = false;
      if (!(error instanceof SwfError) || error.code !== 'BROKER_REFUSED' || !broker.isUp()) {
        this.#noteEnd(saying);
        return;
      }
      saying.refusals += 1;
      if (saying.refusals >= mostRefusals) {
        warn(`${saying.draft.msg_type} of ${saying.about.execution_id} is not sent: ${error.line}`);
        saying.settle(false);
      } else this.#pump();
    }
  }

  /** The connection has ended while it was under way. */
  #noteEnd(saying: Saying): void {
    saying.ends += 1;
    if (saying.ends === mostEnds) this.#options.warn(endsSentence(saying));
    if (isSuspect(saying)) {
      saying.rests = true;
      const wait = Math.min(longestRest, firstRest * 2 ** (saying.ends - suspectEnds));
      setTimeout(() => {
        saying.rests = false;
        this.#pump();
      }, wait).unref();
    }
    this.#pump();
  }

  #outgoing({ draft, about }: Saying): Parameters<BrokerConnection['send']>[0] {
    const { namespace, destinations, sender } = this.#options;
    const { execution_id, run_id, storeId: store_id, replyTo } = about;
    const said = {
      ...draft,
      sender,
      namespace,
      execution_id,
      ...(run_id === undefined ? {} : { run_id }),
      timestamp: utcNow(),
    } as Message;
    const { destination } = vocabulary[draft.msg_type];
    const isReply = destination === 'results' && replyTo !== undefined;
    const message_id = messageIdOf(said);
    const { namespace: _, ...headers } = wireHeaders({
      message_id,
      message_type: draft.msg_type,
      namespace,
      run_id,
      execution_id,
      store_id,
    });
    return {
      destination: isReply ? replyTo : destinations[destination],
      // The place that a recorder names is whole: the namespace is no part of it any more.
      headers: isReply ? headers : { ...headers, namespace },
      body: JSON.stringify({ ...said, message_id }),
      expirySeconds: expirySeconds(draft.msg_type),
    };
  }
}
