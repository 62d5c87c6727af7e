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
  /** Seconds to listen; if omitted, as long as it takes to detect a run, or with a layout a transformer. */
  wait: number | undefined;
  /** Tests how the broker handles messages, by sending some. */
  prove: boolean;
}

/**
 * Checks a broker without leaving a trace: whether it accepts the login, who is heard, and whether its clock
 * is right; one line per check. `prove` first says what it leaves behind, then tries the rest.
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
      ok('to check rights, destinations and how the broker handles messages, use --prove, which sends some'),
    ];
}

const loginOf = ({ user, servers }: BrokerSettings) =>
  `${user ?? 'no user'}${servers.some(({ tls }) => tls) ? ', over TLS' : ''}`;

/** Other programs, our own agents, and the broker's clock, from the messages received meanwhile. */
async function* lookAtOthers({ settings, config, storePath, wait, prove }: BrokerLook): AsyncGenerator<Look> {
  const { namespace } = config.testbed;
  const { destinations, layout } = config.broker;
  const others = layoutTopics(layout);
  const topics = [destinations.broadcast, ...others];
  const seconds = wait ?? secondsToHear(others);
  // If no agent of ours has worked here, the telemetry topic may not exist, and subscribing would create it.
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
        `${agent} takes slices, but none of its messages about them arrive, because it does not copy the header store_id; stop it or fix it`,
      ),
    ];
  // A message of our own measures it better.
  if (!prove) yield ['clock', diagnoseClock(heard.skew)];
}

function diagnoseProgram(program: Heard['programs'][number], own: string) {
  const { name, namespace, msg_type, destination } = program;
  const what = `${name} (other software) works in namespace ${namespace ?? 'unknown'} (${msg_type} on ${destination})`;
  if (namespace !== own) return ok(what);
  return fail(`${what}, which is also yours: runs are refused there; set testbed.namespace`);
}

function diagnoseAgent({ agent_name, agent_type, hostname, wire, off_duty }: Heard['agents'][number]) {
  const what = `${agent_name} on ${hostname}`;
  if (isRefused({ agent_type, wire }))
    return fail(
      `${what} is an earlier build (message version ${wire}; this one has ${wireVersion}) and takes slices meant for other programs; install this version there`,
    );
  const [first] = off_duty;
  if (first === undefined) return ok(what);
  return warn(shortDigests(`${what} is off duty: ${first.detail ?? `${first.reason} ${first.name}`}`));
}

/**
 * What this host's store knows about a namespace: whether it was used over a broker, and workers whose
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

/** A namespace may have remote agents and no store here. */
async function storeIdOf(path: string) {
  using store = await openExistingStore(path).catch(() => undefined);
  return store === undefined ? undefined : knownStoreId(store.sql);
}

/** How many programs and agents to report. */
const most = 50;

type Heard = Awaited<ReturnType<typeof listenTo>>;

/**
 * Listens by plain subscriptions, which end with the connection: they take nothing from others and leave
 * nothing behind.
 */
async function listenTo(
  broker: BrokerConnection,
  topics: readonly string[],
  telemetry: { destination: string; namespace: string } | undefined,
  seconds: number,
) {
  /** Each by its name and namespace, with its first message. */
  const programs = new Map<string, ForeignProgram & { destination: string }>();
  const agents = new Map<string, AgentHeartbeat>();
  /**
   * Milliseconds by which the broker's clock is ahead of ours, by the least delayed message; undefined if
   * none carried its time.
   */
  let skew: number | undefined;
  const noteTime = ({ headers: { timestamp } }: Delivery) => {
    if (timestamp === undefined || !/^\d{1,15}$/.test(timestamp)) return;
    // A message that waited somewhere makes the skew look smaller, so the largest value counts.
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
