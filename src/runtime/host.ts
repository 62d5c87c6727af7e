import type { Config } from '../config/schema.ts';
import { type ProcessAgents, enterProcess } from '../db/driving/take-over.ts';
import { createLogLineWriter } from '../db/log/log-lines.ts';
import { spreadNumbers } from '../db/log/numbers.ts';
import { storeId } from '../db/log/store-identity.ts';
import type { Store } from '../db/opening/store.ts';
import { becomeRecorder, isKnownNamespace, noteKnownNamespace } from '../db/presence/recorders.ts';
import type { Transaction } from '../db/sqlite/transaction.ts';
import type { Speed } from '../domain/params.ts';
import type { AgentType } from '../domain/states.ts';
import type { BrokerChoice, ConnectOptions } from '../exchange/broker-start.ts';
import { connectGuarded, placeOfBroker } from '../exchange/namespace-guard.ts';
import { markFolder } from '../files/folders.ts';
import { dataUnavailable, messageOf, SwfError } from '../lib/errors.ts';
import { makeFolder } from '../lib/file-system.ts';
import { Lifetime } from '../lib/lifetime.ts';
import type { Log, LogLevel, LogLine } from '../lib/logger.ts';
import { currentProcess, isAlive } from '../lib/process-identity.ts';
import type { MessageType } from '../messages/vocabulary.ts';
import { createPayloadHost } from '../payload/host.ts';
import { openRecorderSession, type RecorderSession } from '../recorder/recorder-session.ts';
import { createHeartbeat } from './heartbeat.ts';

/** What every process that hosts agents needs. */
export interface HostOptions {
  store: Store;
  /**
   * The configuration. Its namespace, first execution and run numbers, destinations, enabled agents and number
   * of slots apply to this process.
   */
  config: Config;
  user: string;
  /** The client on whose behalf a server started this process; by default, the user. */
  sender?: string | undefined;
  version: string;
  logLevel: LogLevel;
  /** For people, on this process's stderr. */
  log: Log;
  /** Where the agents' own lines go in addition to the store; by default, to `log`. */
  agentLog?: Log;
  /** The environment that payload commands inherit. */
  environment: NodeJS.ProcessEnv;
  /** Set if the messages go over a broker. */
  broker?: BrokerChoice | undefined;
  /** Called after each commit with what was recorded. */
  onProgress?: (executionId: string, types: MessageType[]) => void;
}

/** Writes whatever else belongs in the transaction that registers this process. */
export type Enter<T> = (tx: Transaction, processAgents: ProcessAgents<AgentType>) => T;

/**
 * A process that hosts agents: its entry in the store, its heartbeats, its broker session and their shared
 * lifetime.
 */
export type Host = Awaited<ReturnType<typeof enterHost>>['host'];

/**
 * Registers a process. With a broker, the process becomes the recorder of its namespace. Throws `BROKER_…`, and
 * `EXECUTION_IN_USE` if another process records the namespace.
 * @param patience whether to wait for a broker that is not available yet, until interrupted
 */
export async function enterHost<T>(
  options: HostOptions,
  agentTypes: readonly AgentType[],
  alsoEnter: Enter<T>,
  patience: Pick<ConnectOptions, 'patient' | 'signal'> = { patient: false },
) {
  const { store, config, broker: choice } = options;
  const log = createProcessLog(options);
  const lifetime = new Lifetime();
  let session: RecorderSession | undefined;
  const onTrouble = (error: SwfError) => {
    session?.link.noteBreak();
    log.warn(error.line);
  };
  const broker = choice && (await listenFirst(options, choice, { ...patience, onTrouble }));
  try {
    const { processAgents, entered } = await enterStore(options, agentTypes, alsoEnter);
    const { process_id: processId, agents } = processAgents;
    const names = Object.values(agents);
    // A run logs under its driver's name, a separate agent process under its own.
    log.speakAs(agents.daq_simulator ?? (names[0] as string));
    if (choice !== undefined && broker !== undefined)
      session = await openRecorderSession(broker, {
        ...choice,
        store,
        namespace: config.testbed.namespace,
        destinations: config.broker.destinations,
        warn: (message) => log.warn(message),
        onFault: (error) => lifetime.fail(error),
      });
    return { host: hostOf(options, { processId, agents, session, lifetime }), entered };
  } catch (error) {
    await broker?.close();
    throw error;
  }
}

interface Entry {
  processId: number;
  /** The names of the agents that this process hosts. */
  agents: Readonly<Partial<Record<AgentType, string>>>;
  /** Undefined without a broker. */
  session: RecorderSession | undefined;
  /** Draining: the process was asked to stop. Stopped: it is ending, or has a fault. */
  lifetime: Lifetime;
}

function hostOf(options: HostOptions, entry: Entry) {
  const { store, config, environment } = options;
  const { processId, agents, session, lifetime } = entry;
  const heartbeat = createHeartbeat(store, processId, Object.values(agents), (message) =>
    options.log.write({ level: 'WARNING', message }),
  );
  const payloads = createPayloadHost(environment);
  return {
    ...entry,
    options,
    store,
    hostname: currentProcess().hostname,
    namespace: config.testbed.namespace,
    heartbeat,
    payloads,
    /** The broker session, for code that runs only with a broker. */
    recorder: session as RecorderSession,
    /** The name of an agent that this process hosts. */
    nameOf: (type: AgentType) => agents[type] as string,
    /**
     * Writes the last heartbeat, which says how the process ends, and sends the last messages to the broker.
     */
    async close({ isHurried = false, hasFault = lifetime.fault !== undefined } = {}) {
      await payloads.close();
      await heartbeat.end(hasFault ? 'fault' : 'order');
      // If this process can no longer write to the store, receipts cannot be recorded.
      const error = lifetime.fault?.error;
      const isStoreLost = error instanceof SwfError && error.code.startsWith('STORE_');
      await session?.close(isStoreLost ? 'none' : isHurried ? 'hurried' : 'usual');
    },
  };
}

/**
 * The log of the process itself, apart from its agents' logs. Lines are shown to people immediately, and stored
 * for later readers.
 */
function createProcessLog({ store, log, logLevel }: HostOptions) {
  const writeLine = createLogLineWriter(logLevel);
  let agent: string | undefined;
  return {
    /** From now on, also writes to the store's log, under this agent's name. */
    speakAs(name: string) {
      agent = name;
    },
    warn(message: string) {
      const line: LogLine = { level: 'WARNING', message };
      log.write(line);
      const speaker = agent;
      if (speaker === undefined || !store.db.open) return;
      // If the store cannot be written to, that has already been reported.
      store.write((tx) => writeLine(tx, line, { agent: speaker })).catch(() => {});
    },
  };
}

/** This process's description of itself as a driver. */
export function driverSelf(
  { user, sender = user, version, broker }: HostOptions,
  { process_id, agents }: { process_id: number; agents: Entry['agents'] },
  speed?: Speed,
) {
  const name = agents.daq_simulator as string;
  const isOverBroker = broker !== undefined;
  return { process_id, identity: currentProcess(), name, user: sender, version, speed, isOverBroker };
}

/**
 * Connects, and listens for other programs before anything is sent. Throws `BROKER_…` and `NAMESPACE_IN_USE`.
 */
function listenFirst({ store, config }: HostOptions, choice: BrokerChoice, how: ConnectOptions) {
  const { namespace } = config.testbed;
  const place = placeOfBroker(choice.settings, choice.listening);
  const isKnown = isKnownNamespace(store.sql, namespace, place);
  const onClear = async () => {
    if (!isKnown) await store.write((tx) => noteKnownNamespace(tx, namespace, place));
  };
  return connectGuarded(choice, { ...how, namespace, isKnown, onClear });
}

function enterStore<T>(options: HostOptions, agentTypes: readonly AgentType[], alsoEnter: Enter<T>) {
  const { store, config, user, version, broker } = options;
  const { namespace } = config.testbed;
  const entry = { identity: currentProcess(), version, user, namespace, agentTypes };
  const { dir, write_files } = config.data;
  return store.write((tx) => {
    if (broker !== undefined) spreadNumbers(tx, config.testbed);
    const processAgents = enterProcess(tx, entry);
    if (broker !== undefined) {
      becomeRecorder(tx, namespace, processAgents.process_id, isAlive);
      if (write_files && dir !== undefined) markAsOurs(dir, storeId(tx));
    }
    return { processAgents, entered: alsoEnter(tx, processAgents) };
  });
}

/** Marks the folder of data files: remote agents use it only with this mark. Throws `DATA_UNAVAILABLE`. */
function markAsOurs(dir: string, id: string) {
  try {
    makeFolder(dir);
    markFolder(dir, id);
  } catch (error) {
    throw dataUnavailable(
      `the data folder ${dir} is not writable (${messageOf(error)}); fix it, or name another with --set data.dir=FOLDER`,
      { cause: error },
    );
  }
}
