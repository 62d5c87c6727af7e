import type { BrokerConnection, BrokerSettings, Connect, Delivery } from '../broker/connection.ts';
import { expirySeconds, type TestbedRequest } from '../db/stand-in/requests.ts';
import { aborted } from '../lib/deadline.ts';
import { messageOf, type SwfError } from '../lib/errors.ts';
import { createHearing } from '../observed/hearing.ts';
import { createNamespaceFilter } from '../observed/namespace-filter.ts';
import {
  brokerTime,
  type GapLine,
  messageLine,
  type MessageLine,
  type UntilLine,
} from '../observed/recording-lines.ts';

interface ObserverOptions {
  settings: BrokerSettings;
  connect: Connect;
  topics: readonly string[];
  /** Namespaces to record; all if empty. */
  namespaces: readonly string[];
  /** Called immediately with each line. */
  take: (line: MessageLine | GapLine | UntilLine, time: string) => void;
  /** Called immediately, before anything is received. */
  onEar?: (ear: Listening) => void;
  /** Called when the observer starts to listen for the first time. */
  onListening: () => void;
  /** Takes the next request to send to programs of the testbed; if absent, the observer sends nothing. */
  nextRequest?: () => Promise<TestbedRequest | undefined>;
  say: (line: string) => void;
  /** Ends the observer when aborted. */
  signal: AbortSignal;
}

/** If an observer has received nothing this long after it began to listen, it reports that. Milliseconds. */
const firstMinute = 60_000;

/** The public state of an observer while it listens. */
export type Listening = Readonly<ReturnType<typeof createEar>['seen']>;

/** A connection counts as lost when the broker has been silent for this many heartbeats. */
const silentBeats = 2.5;

const tickMilliseconds = 1000;

/**
 * After this silence, the observer records that it was listening. If it is killed, at most this much is lost.
 * Milliseconds.
 */
const silentMilliseconds = 30_000;

/**
 * Listens to topics until the signal is aborted. Sends nothing, acknowledges nothing and leaves nothing on the
 * broker: its subscriptions end with the connection, and it takes messages immediately, so that none wait on
 * the broker. Rejects with `BROKER_REFUSED` if the broker denies access.
 */
export async function observe(options: ObserverOptions) {
  const { settings, connect, topics, say, signal, onListening } = options;
  const ear = createEar(options);
  options.onEar?.(ear.seen);
  const broker = connect(settings, (error, aliveAt) => ear.lost(error, aliveAt));
  for (const [at, destination] of topics.entries())
    broker.subscribe({
      id: `observe-${at + 1}`,
      destination,
      ack: 'auto',
      copiesOnly: true,
      onMessage: (delivery) => ear.hear(destination, delivery),
    });
  broker.onUp(() => ear.back());
  const timer = setInterval(() => {
    ear.tick();
    if (ear.seen.isHearing) void sendNext(broker, options);
  }, tickMilliseconds);
  try {
    const isListening = await Promise.race([
      broker.connect({ once: false, mayBeRefused: false }).then(() => true),
      aborted(signal).then(() => false),
    ]);
    if (!isListening) return;
    onListening();
    say(`subscribed to ${topics.join(', ')}`);
    await aborted(signal);
  } finally {
    clearInterval(timer);
    ear.end();
    await broker.close();
  }
}

/** The queue from which the testbed's runners receive commands. */
const controlQueue = '/queue/workflow_control';

/** Sends a request only once: the queue is shared, and a second command would start a second run. */
async function sendNext(broker: BrokerConnection, { nextRequest, say }: ObserverOptions) {
  const request = await nextRequest?.();
  if (request === undefined) return;
  const { request_id, namespace, body } = request;
  try {
    const headers = { persistent: 'true', vo: 'eic', namespace };
    await broker.send({ destination: controlQueue, headers, body, expirySeconds });
    say(`request ${request_id} was sent to ${controlQueue}: ${body}`);
  } catch (error) {
    say(`WARNING request ${request_id} may not have been sent, and will not be sent again: ${messageOf(error)}`);
  }
}

const nothingSeen = (topics: readonly string[]) => ({
  /** Whether the observer would receive a message sent now. */
  isHearing: false,
  reconnects: 0,
  /** Number of messages by topic, including messages from other namespaces. */
  messages: new Map(topics.map((topic) => [topic, 0])),
  /** When the newest message arrived, in milliseconds since 1970. */
  lastMessageAt: undefined as number | undefined,
});

/**
 * Listens on one connection, which may break and be restored. `since`: when the first subscription was
 * confirmed, in milliseconds since 1970. `end`, if called while the connection is lost, records a gap.
 */
function createEar({ settings, namespaces, topics, take, say }: ObserverOptions) {
  const hearing = createHearing(settings.heartbeatSeconds * silentBeats * 1000, Date.now());
  const filter = createNamespaceFilter(namespaces);
  let isLost = false;
  let lastTaken = 0;
  let since: number | undefined;
  const silence = createFirstSilence(namespaces, say);
  const seen = {
    ...nothingSeen(topics),
    /**
     * The period in which messages were received; gaps in it are recorded separately. Undefined before the
     * first connection. Milliseconds since 1970.
     */
    heard: (now: number) => (since === undefined ? undefined : { since, until: hearing.until(now) }),
  };
  const takeNow = (line: MessageLine | GapLine | UntilLine, time = new Date().toISOString()) => {
    lastTaken = Date.now();
    take(line, time);
  };
  const record = (gap: GapLine | undefined): void => gap && takeNow(gap, gap.gap.until);
  return {
    seen,
    tick() {
      const now = Date.now();
      hearing.tick(now);
      if (seen.isHearing) silence.look(now - (since ?? now), seen.messages);
      if (seen.isHearing && now - lastTaken >= silentMilliseconds)
        takeNow({ until: new Date(hearing.until(now)).toISOString() });
    },
    hear(destination: string, { headers, bytes, size, sha256 }: Delivery) {
      const now = Date.now();
      hearing.message(now, destination, brokerTime(headers));
      seen.lastMessageAt = now;
      seen.messages.set(destination, (seen.messages.get(destination) ?? 0) + 1);
      const time = new Date(now).toISOString();
      const large = sha256 === undefined ? undefined : { size, sha256 };
      const line = messageLine({ destination, headers, bytes, large }, time);
      if (!filter.isMeant(line)) return;
      silence.end();
      takeNow(line, time);
    },
    lost({ line }: SwfError, aliveAt: number | undefined) {
      hearing.lost('the connection to the broker was lost', Date.now(), aliveAt);
      if (!isLost) say(`WARNING ${line}; retrying`);
      isLost = true;
      seen.isHearing = false;
      silence.end();
    },
    back() {
      record(hearing.back(Date.now()));
      if (isLost) say('the broker is back');
      isLost = false;
      if (since !== undefined) seen.reconnects += 1;
      since ??= Date.now();
      seen.isHearing = true;
    },
    end: () => record(hearing.gap(Date.now())),
  };
}

/**
 * Reports once, with the likely reason, if nothing to record arrives on a connection in its first minute.
 */
function createFirstSilence(namespaces: readonly string[], say: ObserverOptions['say']) {
  let isOver = false;
  return {
    end: () => void (isOver = true),
    /** @param listened how long the observer has been listening, in milliseconds */
    look(listened: number, messages: ReadonlyMap<string, number>) {
      if (isOver || listened < firstMinute) return;
      isOver = true;
      const others = [...messages.values()].reduce((sum, n) => sum + n, 0);
      say(
        others === 0
          ? 'nothing was received in the first minute: idle programs send nothing; if a run is under way, check the topics'
          : `no message in namespace ${namespaces.join(', ')} was received in the first minute, but ${others} in other namespaces were; check --namespace`,
      );
    },
  };
}
