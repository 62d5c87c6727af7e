import type { BrokerConnection, BrokerSettings, Delivery, Subscription } from '../broker/connection.ts';
import { pause } from '../lib/deadline.ts';
import { SwfError } from '../lib/errors.ts';
import { type ForeignProgram, foreignProgramOf } from '../messages/foreign.ts';
import { telemetryOf } from '../messages/telemetry.ts';
import type { Listening } from './broker-start.ts';
import { agentsOfMonitor } from './monitor-agents.ts';

/** Programs that an error names. */
const named = 5;

/** A program of another make, a word of its and where that was heard. */
type Named = Pick<Heard, 'name' | 'msg_type' | 'destination'>;

/** The same with all that its message says. */
interface Heard extends ForeignProgram {
  destination: string;
}

/**
 * Hears the programs of other makes in one namespace, on topics that are there already. A message that names no namespace belongs to that of its
 * run.
 */
export class ForeignEar {
  readonly #namespace: string;
  readonly #onHeard: (heard: Heard) => void;
  readonly #namespaces = new Map<string, string>();

  constructor(namespace: string, onHeard: (heard: Heard) => void) {
    this.#namespace = namespace;
    this.#onHeard = onHeard;
  }

  hear(destination: string, { decoded, headers }: Pick<Delivery, 'decoded' | 'headers'>): void {
    const program = foreignProgramOf(decoded, headers);
    if (program === undefined) return;
    const { namespace, run_id } = program;
    if (namespace !== undefined && run_id !== undefined) this.#namespaces.set(run_id, namespace);
    if ((namespace ?? this.#namespaces.get(run_id ?? '')) === this.#namespace)
      this.#onHeard({ ...program, destination });
  }
}

/** Seconds to listen: broadcasts come every two seconds or so in a run, and a transformer, which says nothing there, beats every 30 s. */
const broadcastSeconds = 3;
const layoutSeconds = 35;

/** Subscriptions by which a program that is at work hears those of other makes on topics of a layout. */
export const layoutSubscriptions = (topics: readonly string[], ear: ForeignEar): Subscription[] =>
  topics.map((destination, at) => ({
    id: `layout-${at + 1}`,
    destination,
    ack: 'auto',
    onMessage: (delivery) => ear.hear(destination, delivery),
  }));

/** The same on the broadcast topic, for a program that reads nothing else there: our own broadcasts, which name a namespace in a header, are left out. */
export const unmarkedSubscription = (broadcast: string, ear: ForeignEar): Subscription => ({
  id: 'unmarked',
  destination: broadcast,
  ack: 'auto',
  only: () => ({}),
  onMessage: (delivery) => ear.hear(broadcast, delivery),
});

/** A broker as a store knows it. */
export const placeOfBroker = ({ servers }: Pick<BrokerSettings, 'servers'>): string =>
  servers.map(({ host, port }) => `${host}:${port}`).join(',');

export interface ListenOptions extends Omit<Listening, 'say'> {
  namespace: string;
  /** The namespace was listened to before, and has been ours since. */
  isKnown?: boolean;
  /** The topic of telemetry, where a recorder of the namespace that is heard ends the listening: it has listened itself. */
  telemetry?: string;
  say: Listening['say'];
  /** Ends the listening at once. */
  signal?: AbortSignal | undefined;
}

/**
 * Listens, before anything else is subscribed or said, whether programs of another make are at work in a namespace: what we say would be taken for
 * theirs. Throws `NAMESPACE_IN_USE` with their names. Idle agents say nothing, and are not heard.
 */
export async function requireNamespaceOfOurOwn(broker: BrokerConnection, options: ListenOptions): Promise<void> {
  const { namespace, broadcast, layout, isKnown = false, monitor, telemetry, say, signal } = options;
  const seconds = options.seconds ?? (layout.length === 0 || isKnown ? broadcastSeconds : layoutSeconds);
  if (seconds === 0) return;
  say(
    `listening for ${seconds} s whether programs of another make work in namespace ${namespace} (broker.listen_seconds)`,
  );
  const heard = new Map<string, Named>();
  const done = new AbortController();
  const ear = new ForeignEar(namespace, (program) => heard.set(program.name, program));
  const subscriptions = layoutSubscriptions([broadcast, ...layout], ear);
  if (telemetry !== undefined) {
    const onMessage = ({ decoded }: Delivery): void => {
      if (telemetryOf(decoded)?.msg_type === 'execution_state') done.abort();
    };
    const only = (): { namespace: string } => ({ namespace });
    subscriptions.push({ id: 'recorders', destination: telemetry, ack: 'auto', only, onMessage });
  }
  for (const subscription of subscriptions) broker.subscribe(subscription);
  const asked = monitor === undefined ? [] : await agentsOfMonitor(monitor, namespace, say);
  for (const agent of asked) heard.set(agent.name, agent);
  if (asked.length === 0) await pause(seconds * 1000, [done.signal, ...(signal === undefined ? [] : [signal])]);
  for (const { id } of subscriptions) broker.unsubscribe(id);
  if (heard.size > 0) throw namespaceInUse(namespace, [...heard.values()]);
}

/** The refusal of a namespace in which programs of another make work. */
export function namespaceInUse(namespace: string, heard: readonly Named[]): SwfError {
  const programs = heard
    .slice(0, named)
    .map(({ name, msg_type, destination }) => `${name} (${msg_type} on ${destination})`);
  const more = heard.length > named ? `, and ${heard.length - named} more` : '';
  return new SwfError(
    'NAMESPACE_IN_USE',
    `programs of another make work in namespace ${namespace}: ${programs.join(', ')}${more}; they would take our messages for their own, and stop. Use a namespace of your own (testbed.namespace)`,
  );
}
