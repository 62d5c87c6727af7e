import type { BrokerConnection, BrokerSettings, Delivery, Subscription } from '../broker/connection.ts';
import { someOf } from '../lib/counted.ts';
import { pause } from '../lib/deadline.ts';
import { SwfError } from '../lib/errors.ts';
import { layoutNames } from '../messages/destinations.ts';
import { type ForeignProgram, foreignProgramOf } from '../messages/foreign.ts';
import type { Telemetry } from '../messages/telemetry.ts';
import { type BrokerChoice, type ConnectOptions, connectToBroker, type Listening } from './broker-start.ts';
import { agentsOfMonitor } from './monitor-agents.ts';
import { decodedOf, reportsIn } from './wire.ts';

/** A foreign program, with one of its message types, and the destination where it was heard. */
type Named = Pick<Heard, 'name' | 'msg_type' | 'destination'>;

/** A foreign program, with everything that its message says. */
interface Heard extends ForeignProgram {
  destination: string;
}

/** Receives a message from a topic. */
type Ear = (destination: string, delivery: Delivery) => void;

/**
 * Listens for other software in one namespace, on existing topics. A message without a namespace belongs
 * to its run's namespace.
 * @param onOther called with each other namespace heard
 */
export function createForeignEar(
  ours: string,
  onHeard: (heard: Heard) => void,
  onOther?: (other: string) => void,
): Ear {
  const namespaces = new Map<string, string>();
  return (destination, delivery) => {
    const program = foreignProgramOf(decodedOf(delivery), delivery.headers);
    if (program === undefined) return;
    const { namespace, run_id } = program;
    if (namespace !== undefined && run_id !== undefined) namespaces.set(run_id, namespace);
    const heard = namespace ?? namespaces.get(run_id ?? '');
    if (heard === ours) onHeard({ ...program, destination });
    else if (heard !== undefined) onOther?.(heard);
  };
}

/** Seconds to wait for broadcasts, which a run sends every two seconds or so. */
const broadcastSeconds = 3;

/** Seconds to wait for a transformer, which sends a heartbeat every 30 s, and only on the topics of a layout. */
const layoutSeconds = 35;

/** Seconds to listen on a broadcast topic and a layout's topics, long enough to hear every active program there. */
export const secondsToHear = (layout: readonly string[]) => (layout.length === 0 ? broadcastSeconds : layoutSeconds);

/** Subscriptions with which a running process detects foreign programs on a layout's topics. */
export const layoutSubscriptions = (topics: readonly string[], ear: Ear): Subscription[] =>
  topics.map((destination, at) => ({
    id: `layout-${at + 1}`,
    destination,
    ack: 'auto',
    copiesOnly: true,
    onMessage: (delivery) => ear(destination, delivery),
  }));

/** A subscription to broadcasts whose headers contain no namespace. Our own broadcasts name theirs in a header. */
export const unmarkedSubscription = (broadcast: string, ear: Ear): Subscription => ({
  id: 'unmarked',
  destination: broadcast,
  ack: 'auto',
  only: () => ({}),
  onMessage: (delivery) => ear(broadcast, delivery),
});

/** A broker as recorded in a store, with the topics that were listened to. */
export const placeOfBroker = ({ servers }: Pick<BrokerSettings, 'servers'>, { layout }: Pick<Listening, 'layout'>) =>
  [servers.map(({ host, port }) => `${host}:${port}`).join(','), ...layout].join(' ');

/** How to connect, and which namespace to check. The signal also ends the wait for foreign programs. */
interface GuardOptions extends ConnectOptions {
  namespace: string;
  /** This process has listened before and has held the namespace since, so listening for a short time is enough. */
  isKnown?: boolean;
  /**
   * The telemetry topic. The wait ends when a recorder of the namespace is heard there, since that recorder has
   * already listened for foreign programs.
   */
  telemetry?: string;
  /** Called if no program was heard during the full time. */
  onClear?: () => Promise<void>;
}

/** How often to check the connection, in milliseconds: time without a connection does not count as listening. */
const lookMilliseconds = 250;

/**
 * Connects to the broker, and listens for foreign programs in a namespace before it subscribes to or sends
 * anything else: these programs would mistake our messages for their own. Idle agents send nothing and are not
 * heard. Throws `BROKER_…`, and `NAMESPACE_IN_USE` with the names of the programs heard.
 */
export async function connectGuarded(choice: BrokerChoice, options: GuardOptions) {
  const { namespace, isKnown = false, telemetry, signal, onClear } = options;
  const { broadcast, layout, monitor, say } = choice.listening;
  const seconds = choice.listening.seconds ?? (isKnown ? broadcastSeconds : secondsToHear(layout));
  if (seconds === 0) return connectToBroker(choice, options);
  const heard = new Map<string, Named>();
  /** Other namespaces in which foreign programs are working. */
  const others = new Set<string>();
  const recorderHeard = new AbortController();
  const ends = signal === undefined ? [recorderHeard.signal] : [recorderHeard.signal, signal];
  const onOther = (other: string) => void others.add(other);
  const ear = createForeignEar(namespace, (program) => heard.set(program.name, program), onOther);
  const subscriptions = layoutSubscriptions([broadcast, ...layout], ear);
  const hear = (report: Telemetry | undefined) => {
    if (report?.msg_type === 'execution_state') recorderHeard.abort();
  };
  if (telemetry !== undefined) subscriptions.push(reportsIn(namespace, telemetry, hear, 'recorders'));
  /**
   * Subscribes before connecting, so that a missing permission ends the connection instead of looking like
   * silence.
   */
  const prepare = (fresh: BrokerConnection) => {
    for (const subscription of subscriptions) fresh.subscribe(subscription);
  };
  const broker = await connectToBroker(choice, options, prepare);
  try {
    say(`listening for ${seconds} s for other software in namespace ${namespace} (broker.listen_seconds)`);
    const asked = monitor === undefined ? [] : await agentsOfMonitor(monitor, namespace, say);
    for (const agent of asked) heard.set(agent.name, agent);
    const isWhole = asked.length === 0 && (await listen(broker, seconds, ends));
    for (const { id } of subscriptions) broker.unsubscribe(id);
    judge(namespace, [...heard.values()], others, choice.listening);
    if (isWhole) {
      sayOfIdle(options, choice.listening);
      await onClear?.();
    }
    return broker;
  } catch (error) {
    await broker.close();
    throw error;
  }
}

/**
 * Listens for foreign programs; returns whether it did so for the full time. Time without a connection does
 * not count, since nothing can be heard.
 */
async function listen(broker: BrokerConnection, seconds: number, ends: readonly AbortSignal[]) {
  let left = seconds * 1000;
  while (left > 0 && !ends.some(({ aborted }) => aborted)) {
    const since = performance.now();
    await pause(Math.min(left, lookMilliseconds), ends);
    if (broker.isUp()) left -= performance.now() - since;
  }
  return left <= 0;
}

/**
 * Refuses a namespace in which foreign programs have been heard, and warns about queues that programs in
 * another namespace read.
 */
function judge(namespace: string, heard: Named[], [other]: Iterable<string>, { sharedQueues, say }: Listening) {
  if (heard.length > 0) throw namespaceInUse(namespace, heard);
  if (other !== undefined && sharedQueues.length > 0) say(`WARNING ${sharingSentence(other, sharedQueues)}`);
}

/**
 * The harm caused by queues shared with other software, and the remedy.
 * @param keys of `[broker.destinations]`
 */
export const sharingSentence = (other: string, keys: readonly string[]) =>
  `other software is using this broker (namespace ${other}); it reads the queues without regard to the namespace, so it would take swf-mcp's messages and may fail on them; give swf-mcp its own queues: ${keys.map((key) => `--set broker.destinations.${key}=/queue/swf.${key}`).join(' ')}`;

/**
 * Warns that silence proves nothing, if the namespace is new to this store and neither the site's topics nor
 * its monitor is known.
 */
function sayOfIdle({ namespace, isKnown }: GuardOptions, { layout, monitor, say }: Listening) {
  if (isKnown !== true && layout.length === 0 && monitor === undefined) say(`WARNING ${idleSentence(namespace)}`);
}

/** Says that silence on the broadcasts proves nothing, and names the two ways to be sure. */
export const idleSentence = (namespace: string) =>
  `no other software has been heard from in namespace ${namespace}, but idle programs send nothing there. To be sure, set broker.layout (to the testbed's: ${layoutNames.join(', ')}), or set SWF_MONITOR_URL to the testbed's monitor`;

/**
 * The error for a namespace in which foreign programs are working.
 * @param isBegun whether this process was in the namespace first
 */
export function namespaceInUse(namespace: string, heard: readonly Named[], isBegun = false) {
  const programs = heard.map(({ name, msg_type, destination }) => `${name} (${msg_type} on ${destination})`);
  return new SwfError(
    'NAMESPACE_IN_USE',
    `other software is using namespace ${namespace}: ${someOf(programs)}; that software would mistake swf-mcp's messages for its own and stop. ${isBegun ? 'This process therefore leaves the namespace: resume when that software has ended, or stop what is running and start again in your own namespace' : 'Use your own namespace'} (testbed.namespace)`,
  );
}
