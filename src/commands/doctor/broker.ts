import type { BrokerConnection, BrokerSettings, Delivery } from '../../broker/connection.ts';
import type { Config } from '../../config/schema.ts';
import { knownStoreId } from '../../db/log/store-identity.ts';
import { openExistingStore } from '../../db/opening/open-store.ts';
import { troubledAgents } from '../../db/presence/agent-registry.ts';
import { hasRecorded } from '../../db/presence/recorders.ts';
import { idleSentence, layoutSubscriptions, secondsToHear, sharingSentence } from '../../exchange/namespace-guard.ts';
import { decodedOf, readingTypes, recorderSubscription, roleSubscription, reportsIn } from '../../exchange/wire.ts';
import { pause } from '../../lib/deadline.ts';
import { isAlive } from '../../lib/process-identity.ts';
import { shortDigests } from '../../lib/words.ts';
import { queuesSharedWithTestbed, layoutTopics } from '../../messages/destinations.ts';
import { type ForeignProgram, foreignProgramOf } from '../../messages/foreign.ts';
import { type AgentHeartbeat, type Telemetry, isRefused, wireVersion } from '../../messages/telemetry.ts';
import { attempt, diagnoseClock, type Diagnosis, fail, type Look, ok, warn } from './diagnosis.ts';
import { proveBroker } from './proofs.ts';
import { withConnections } from './trial.ts';

interface BrokerLook {
  settings: BrokerSettings;
  config: Config;
  /** The store of this host, which may not exist. */
  storePath: string;
  /** Seconds to listen; if omitted, long enough to detect a run or, with a layout, a transformer. */
  wait: number | undefined;
  /** Tests how the broker handles messages, by sending some. */
  prove: boolean;
}

/**
 * Checks a broker without leaving a trace, one line per check: whether it accepts the login, which programs are
 * heard, and whether its clock is right. With `prove`, it first lists what may be left behind, then tests the
 * broker by sending messages.
 */
export async function* lookAtBroker(look: BrokerLook): AsyncGenerator<Look> {
  const { settings, config, prove } = look;
  const login = await attempt(() => withConnections(settings, 1, () => Promise.resolve(ok(loginOf(settings)))));
  yield ['login', login];
  if (login.state === 'fail') return;
  yield* lookAtOthers(look);
  if (prove) yield* proveBroker(settings, config);
  else
    yield [
      'not tried',
      ok(
        'to check permissions, destinations and how the broker handles messages, use --prove, which sends test messages',
      ),
    ];
}

const loginOf = ({ user, servers }: BrokerSettings) =>
  `${user ?? 'no user'}${servers.some(({ tls }) => tls) ? ', over TLS' : ''}`;

/**
 * Reports on other programs, our own agents and the broker's clock, from the messages that arrive while
 * `doctor` listens.
 */
async function* lookAtOthers({ settings, config, storePath, wait, prove }: BrokerLook): AsyncGenerator<Look> {
  const { namespace } = config.testbed;
  const { destinations, layout } = config.broker;
  const others = layoutTopics(layout);
  const topics = [destinations.broadcast, ...others];
  const seconds = wait ?? secondsToHear(others);
  // If our agents have not used this namespace, the telemetry topic may not exist, and subscribing would create
  // it.
  const { isUsed, unheard } = await knownHere(storePath, namespace);
  const telemetry = isUsed ? { destination: destinations.telemetry, namespace } : undefined;
  let heard: Heard | undefined;
  const listening = await attempt(async () => {
    heard = await withConnections(settings, 1, ([broker]) => listenTo(broker, topics, telemetry, seconds));
    return ok(`listened to ${topics.join(', ')}${isUsed ? ` and ${destinations.telemetry}` : ''} for ${seconds} s`);
  });
  yield ['heard', listening];
  if (heard === undefined) return;
  for (const program of heard.programs) yield ['other program', diagnoseProgram(program, namespace)];
  const other = heard.programs.find((program) => program.namespace !== namespace)?.namespace;
  const shared = queuesSharedWithTestbed(destinations);
  if (other !== undefined && shared.length > 0) yield ['shared queues', warn(sharingSentence(other, shared))];
  if (heard.programs.length === 0)
    yield ['other program', ok(others.length > 0 ? 'none were heard' : idleSentence(namespace))];
  for (const agent of heard.agents) yield ['agent', diagnoseAgent(agent)];
  for (const agent of unheard)
    yield [
      'agent',
      fail(
        `${agent} takes slices, but none of its messages about them arrive, because it does not copy the store_id header; stop it or fix it`,
      ),
    ];
  // With `prove`, a message of our own measures the clock more accurately.
  if (!prove) yield ['clock', diagnoseClock(heard.skew)];
}

function diagnoseProgram(program: Heard['programs'][number], own: string) {
  const { name, namespace, msg_type, destination } = program;
  const what = `${name} (other software) is running in namespace ${namespace ?? 'unknown'} (${msg_type} on ${destination})`;
  if (namespace !== own) return ok(what);
  return fail(`${what}; that namespace is also yours, so runs are refused; set another testbed.namespace`);
}

function diagnoseAgent({ agent_name, agent_type, hostname, wire, off_duty }: Heard['agents'][number]) {
  const what = `${agent_name} on ${hostname}`;
  if (isRefused({ agent_type, wire }))
    return fail(
      `${what} runs an earlier build (message version ${wire}; this one has ${wireVersion}) and takes slices meant for other programs; install this version there`,
    );
  const [first] = off_duty;
  if (first === undefined) return ok(what);
  return warn(shortDigests(`${what} is off duty: ${first.detail ?? `${first.reason} ${first.name}`}`));
}

/**
 * Facts about a namespace from this host's store: whether it was used over a broker, and which workers'
 * messages never arrive.
 */
async function knownHere(path: string, namespace: string) {
  using store = await openExistingStore(path).catch(() => undefined);
  if (store === undefined) return { isUsed: false, unheard: [] };
  const troubled = troubledAgents(store.sql, namespace, isAlive);
  return {
    isUsed: hasRecorded(store.sql, namespace),
    unheard: troubled.filter(({ unheard_since }) => unheard_since !== null).map(({ agent }) => agent),
  };
}

/** Removes the durable subscriptions of a namespace, for which the broker would otherwise keep messages. */
export async function forgetDurable(path: string, settings: BrokerSettings, config: Config): Promise<Diagnosis> {
  const { namespace } = config.testbed;
  const id = await storeIdOf(path);
  const names = [
    ...(id === undefined ? [] : [recorderSubscription(namespace, id)]),
    ...readingTypes.map((type) => roleSubscription(namespace, type)),
  ];
  const removed: string[] = [];
  const { broadcast: destination } = config.broker.destinations;
  for (const durableName of names) {
    const isRemoved = await withConnections({ ...settings, clientId: durableName }, 1, ([broker]) =>
      broker.forget({ destination, only: () => ({ namespace }), durableName }),
    );
    if (isRemoved) removed.push(durableName);
  }
  return ok(removed.length === 0 ? `namespace ${namespace} has none` : `${removed.join(', ')} removed`);
}

/** A namespace may have remote agents but no store on this host. */
async function storeIdOf(path: string) {
  using store = await openExistingStore(path).catch(() => undefined);
  return store && knownStoreId(store.sql);
}

/** Maximum number of programs and agents to report. */
const most = 50;

type Heard = Awaited<ReturnType<typeof listenTo>>;

/**
 * Listens through plain subscriptions, which end with the connection: they take no messages away from other
 * subscribers and leave nothing behind on the broker.
 */
async function listenTo(
  broker: BrokerConnection,
  topics: readonly string[],
  telemetry: { destination: string; namespace: string } | undefined,
  seconds: number,
) {
  /** Programs by name and namespace, each with its first message. */
  const programs = new Map<string, ForeignProgram & { destination: string }>();
  const agents = new Map<string, AgentHeartbeat>();
  /**
   * Milliseconds by which the broker's clock is ahead of ours, measured with the least delayed message;
   * undefined if no message carried the broker's time.
   */
  let skew: number | undefined;
  const noteTime = ({ headers: { timestamp } }: Delivery) => {
    if (timestamp === undefined || !/^\d{1,15}$/.test(timestamp)) return;
    // A message that was delayed makes the skew look smaller, so the largest value counts.
    skew = Math.max(skew ?? -Infinity, Number(timestamp) - Date.now());
  };
  const hear = (destination: string, delivery: Delivery) => {
    noteTime(delivery);
    const program = foreignProgramOf(decodedOf(delivery), delivery.headers);
    const key = `${program?.name} ${program?.namespace}`;
    if (program !== undefined && !programs.has(key) && programs.size < most)
      programs.set(key, { ...program, destination });
  };
  const hearReport = (report: Telemetry | undefined, delivery: Delivery) => {
    noteTime(delivery);
    if (report?.msg_type === 'agent_heartbeat' && agents.size < most) agents.set(report.agent_name, report);
  };
  const subscriptions = layoutSubscriptions(topics, hear);
  if (telemetry !== undefined) subscriptions.push(reportsIn(telemetry.namespace, telemetry.destination, hearReport));
  for (const subscription of subscriptions) broker.subscribe(subscription);
  await pause(seconds * 1000);
  for (const { id } of subscriptions) broker.unsubscribe(id);
  return { programs: [...programs.values()], agents: [...agents.values()], skew };
}
