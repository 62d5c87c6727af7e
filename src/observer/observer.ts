import type { BrokerSettings, Connect, Delivery } from '../broker/connection.ts';
import { aborted } from '../lib/deadline.ts';
import type { SwfError } from '../lib/errors.ts';
import { Hearing } from '../observed/hearing.ts';
import { NamespaceFilter } from '../observed/namespace-filter.ts';
import { type GapLine, messageLine, type MessageLine } from '../observed/recording-lines.ts';

export interface ObserverOptions {
  settings: BrokerSettings;
  connect: Connect;
  topics: readonly string[];
  /** Those that are meant; all, where none is named. */
  namespaces: readonly string[];
  /** Takes what is heard, at once. */
  take: (line: MessageLine | GapLine, time: string) => void;
  /** Told at once how to ask whether something would be heard now. */
  onHearing?: (isHearing: () => boolean) => void;
  /** Told when it listens for the first time. */
  onListening: () => void;
  say: (line: string) => void;
  /** Aborted when it is to end. */
  signal: AbortSignal;
}

/** How long a broker may be silent before a connection counts as lost, in beats. */
const silentBeats = 2.5;

const tickMilliseconds = 1000;

/**
 * Listens to topics until it is told to end. It sends nothing, acknowledges nothing and keeps nothing on the broker: its subscriptions end with the connection,
 * and what it hears is taken at once, so that nothing waits for it there.
 * Rejects with `BROKER_REFUSED` where it is not let in.
 */
export async function observe(options: ObserverOptions): Promise<void> {
  const { settings, connect, topics, say, signal, onListening } = options;
  const ear = new Ear(options);
  options.onHearing?.(() => ear.isHearing);
  const broker = connect(settings, (error) => ear.lost(error));
  for (const [at, destination] of topics.entries())
    broker.subscribe({
      id: `observe-${at + 1}`,
      destination,
      ack: 'auto',
      onMessage: (delivery) => ear.hear(destination, delivery),
    });
  broker.onUp(() => ear.back());
  const timer = setInterval(() => ear.tick(), tickMilliseconds);
  try {
    const isListening = await Promise.race([
      broker.connect({ once: false, mayBeRefused: false }).then(() => true),
      aborted(signal).then(() => false),
    ]);
    if (!isListening) return;
    onListening();
    say(`listens to ${topics.join(', ')}`);
    await aborted(signal);
  } finally {
    clearInterval(timer);
    ear.end();
    await broker.close();
  }
}

/** The ear at one connection that comes and goes. */
class Ear {
  readonly #options: ObserverOptions;
  readonly #hearing: Hearing;
  readonly #filter: NamespaceFilter;
  #isLost = false;
  /** Whether something would be heard now. */
  isHearing = false;

  constructor(options: ObserverOptions) {
    this.#options = options;
    this.#hearing = new Hearing(options.settings.heartbeatSeconds * silentBeats * 1000, Date.now());
    this.#filter = new NamespaceFilter(options.namespaces);
  }

  tick(): void {
    this.#hearing.tick(Date.now());
  }

  hear(destination: string, { headers, bytes, size, sha256 }: Delivery): void {
    const now = Date.now();
    this.#hearing.message(now);
    const time = new Date(now).toISOString();
    const large = sha256 === undefined ? undefined : { size, sha256 };
    const line = messageLine({ destination, headers, bytes, large }, time);
    if (this.#filter.isMeant(line)) this.#options.take(line, time);
  }

  lost({ line }: SwfError): void {
    this.#hearing.lost('the connection to the broker was lost');
    if (!this.#isLost) this.#options.say(`WARNING ${line}; it is tried again and again`);
    this.#isLost = true;
    this.isHearing = false;
  }

  /** Nothing more is heard. Where the connection is lost meanwhile, nothing has been since then. */
  end(): void {
    this.#tellGap();
  }

  back(): void {
    this.#tellGap();
    if (this.#isLost) this.#options.say('the broker is there again');
    this.#isLost = false;
    this.isHearing = true;
  }

  #tellGap(): void {
    const gap = this.#hearing.back(Date.now());
    if (gap !== undefined) this.#options.take(gap, gap.gap.until);
  }
}
