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
  /** Takes each line at once. */
  take: (line: MessageLine | GapLine | UntilLine, time: string) => void;
  /** Called immediately, before anything is heard. */
  onEar?: (ear: Listening) => void;
  /** Called when it listens for the first time. */
  onListening: () => void;
  /** Takes the next request to send to programs of the testbed; if absent, nothing is ever sent. */
  nextRequest?: () => Promise<TestbedRequest | undefined>;
  say: (line: string) => void;
  /** Ends the observer when aborted. */
  signal: AbortSignal;
}

/** How long after it began to listen an observer reports that it has received nothing, in milliseconds. */
const firstMinute = 60_000;

/** What others can read about an observer while it listens. */
export type Listening = Readonly<ReturnType<typeof createEar>['seen']>;

/** How long a broker may be silent before a connection counts as lost, in heartbeats. */
const silentBeats = 2.5;

const tickMilliseconds = 1000;

/**
 * After this silence the recording states that the observer was listening, in milliseconds: a kill then loses no more
 * than that.
 */
const silentMilliseconds = 30_000;

/**
 * Listens to topics until the signal is aborted. It sends nothing, acknowledges nothing and keeps nothing on
 * the broker: its subscriptions end with the connection, and it takes messages at once, so that nothing waits
 * for it there. Rejects with `BROKER_REFUSED` if the broker does not let it in.
 */
export async function observe(options: ObserverOptions): Promise<void> {
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

/** The queue on which runners of the testbed take commands. */
const controlQueue = '/queue/workflow_control';

/** Sends a request once: the queue is shared, and a second command would start a second run. */
async function sendNext(broker: BrokerConnection, { nextRequest, say }: ObserverOptions): Promise<void> {
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
  /** Whether messages would be received now. */
  isHearing: false,
  /** Reconnections to the broker. */
  reconnects: 0,
  /** By topic, including messages of other namespaces. */
  messages: new Map(topics.map((topic) => [topic, 0])),
  /** When the newest message arrived, in milliseconds since 1970. */
  lastMessageAt: undefined as number | undefined,
});

/**
 * Listens on one connection that may break and be restored. `since`: when the first subscription was confirmed, in
 * milliseconds since 1970. At its `end` it records, while the connection is lost, that nothing has been heard since.
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
    /** The time in which messages were heard, without times without a connection; undefined before the first connection. Milliseconds since 1970. */
    heard: (now: number) => (since === undefined ? undefined : { since, until: hearing.until(now) }),
  };
  const takeNow = (line: MessageLine | GapLine | UntilLine, time = new Date().toISOString()): void => {
    lastTaken = Date.now();
    take(line, time);
  };
  const record = (gap: GapLine | undefined): void => gap && takeNow(gap, gap.gap.until);
  return {
    seen,
    tick(): void {
      const now = Date.now();
      hearing.tick(now);
      if (seen.isHearing) silence.look(now - (since ?? now), seen.messages);
      if (seen.isHearing && now - lastTaken >= silentMilliseconds)
        takeNow({ until: new Date(hearing.until(now)).toISOString() });
    },
    hear(destination: string, { headers, bytes, size, sha256 }: Delivery): void {
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
    lost({ line }: SwfError, aliveAt: number | undefined): void {
      hearing.lost('the connection to the broker was lost', Date.now(), aliveAt);
      if (!isLost) say(`WARNING ${line}; retrying`);
      isLost = true;
      seen.isHearing = false;
      silence.end();
    },
    back(): void {
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

/** Reports once if nothing to record arrives in the first minute on one connection, and why that may be. */
function createFirstSilence(namespaces: readonly string[], say: ObserverOptions['say']) {
  let isOver = false;
  return {
    end: () => void (isOver = true),
    /** @param listened for how long it has listened, in milliseconds */
    look(listened: number, messages: ReadonlyMap<string, number>) {
      if (isOver || listened < firstMinute) return;
      isOver = true;
      const others = [...messages.values()].reduce((sum, n) => sum + n, 0);
      say(
        others === 0
          ? 'nothing was received in the first minute: idle programs send nothing; if a run is under way, check the topics'
          : `no message of namespace ${namespaces.join(', ')} was received in the first minute, but ${others} of others; check --namespace`,
      );
    },
  };
}
