import { emittedBy } from '../agents/registry.ts';
import type { BrokerConnection, BrokerSettings, Connect } from '../broker/connection.ts';
import type { Config } from '../config/schema.ts';
import { type Crew, enterProcess } from '../db/execution/take-over.ts';
import { spreadNumbers } from '../db/log/numbers.ts';
import type { Store } from '../db/sqlite/store.ts';
import type { Transaction } from '../db/sqlite/transaction.ts';
import type { AgentType } from '../domain/states.ts';
import {
  type BrokerOptions,
  type BrokerSession,
  connectToBroker,
  openBrokerSession,
  withBroker,
} from '../exchange/broker-session.ts';
import { Lifetime } from '../lib/lifetime.ts';
import type { Log, LogLevel } from '../lib/logger.ts';
import { currentProcess, isAlive } from '../lib/process-identity.ts';
import type { MessageType } from '../messages/vocabulary.ts';
import { createPayloadHost, type PayloadHost } from '../payload/host.ts';
import { Heartbeat } from './heartbeat.ts';
import { ProcessLog } from './process-log.ts';

/** How a process meets its broker. */
export interface BrokerChoice {
  settings: BrokerSettings;
  connect: Connect;
}

/** The needs of every process that hosts agents. */
export interface HostOptions {
  store: Store;
  /** Its namespace, numbers, destinations, enabled agents and number of slots hold for this process. */
  config: Config;
  user: string;
  /** The client in whose name a server has started this process; left out, it is the user. */
  sender?: string | undefined;
  /** Of this program. */
  version: string;
  logLevel: LogLevel;
  /** For people, on this process's stderr. */
  log: Log;
  /** Where the agents' own lines go besides the store; left out, to `log`. */
  agentLog?: Log;
  /** The environment that payload commands inherit. */
  environment: NodeJS.ProcessEnv;
  /** Set where the messages go over a broker. */
  broker?: BrokerChoice | undefined;
  /** Told after each commit what was recorded. */
  onProgress?: (executionId: string, types: MessageType[]) => void;
}

/** Enters this process, and whatever else belongs into the same transaction. */
type Enter<T> = (tx: Transaction, crew: Crew<AgentType>) => T;

/** A process that hosts agents: its entry in the store, its heartbeats, its broker session and the life that they share. */
export class Host {
  readonly options: HostOptions;
  readonly store: Store;
  readonly processId: number;
  /** The names of the agents that this process hosts. */
  readonly agents: Readonly<Partial<Record<AgentType, string>>>;
  readonly hostname = currentProcess().hostname;
  readonly heartbeat: Heartbeat;
  readonly payloads: PayloadHost;
  /** Draining: the process was told to stop. Stopped: it ends, or has a fault. */
  readonly lifetime = new Lifetime();
  #session: BrokerSession | undefined;

  /** Enters a process that works without a broker, or with one that must be there at once. Throws `BROKER_…`. */
  static async enter<T>(
    options: HostOptions,
    agentTypes: readonly AgentType[],
    alsoEnter: Enter<T>,
  ): Promise<{ host: Host; entered: T }> {
    const log = new ProcessLog(options.store, options.log, options.logLevel);
    const met = brokerOptionsOf(options, log);
    const broker = met === undefined ? undefined : await connectToBroker(met, { patient: false });
    try {
      const { crew, entered } = await enterStore(options, agentTypes, alsoEnter);
      const host = new Host(options, crew, log);
      if (met !== undefined && broker !== undefined) await host.#openSession(broker, met);
      return { host, entered };
    } catch (error) {
      await broker?.close();
      throw error;
    }
  }

  /** Enters a process of its own for one agent. It waits for its broker as long as it takes, or until it is interrupted. */
  static async enterAgent(
    options: HostOptions & { broker: BrokerChoice },
    type: AgentType,
    interrupted: AbortSignal,
  ): Promise<Host> {
    const log = new ProcessLog(options.store, options.log, options.logLevel);
    const met = brokerOptionsOf(options, log) as BrokerOptions;
    return withBroker(met, interrupted, async (broker) => {
      const { crew } = await enterStore(options, [type], () => {});
      const host = new Host(options, crew, log);
      await host.#openSession(broker, met);
      return host;
    });
  }

  private constructor(options: HostOptions, crew: Crew<AgentType>, log: ProcessLog) {
    this.options = options;
    this.store = options.store;
    this.processId = crew.process_id;
    this.agents = crew.agents;
    const names = Object.values(crew.agents);
    // A run speaks as its driver, an agent of its own process as itself.
    log.speakAs(crew.agents.daq_simulator ?? (names[0] as string));
    this.heartbeat = new Heartbeat(options.store, crew.process_id, names, (message) =>
      options.log.write({ level: 'WARNING', message }),
    );
    this.payloads = createPayloadHost(options.environment);
  }

  /** Undefined without a broker. */
  get session(): BrokerSession | undefined {
    return this.#session;
  }

  /** Throws an `Error` without a broker: only what works over one asks for it. */
  get brokerSession(): BrokerSession {
    if (this.#session === undefined) throw new Error('this process has no broker');
    return this.#session;
  }

  /** The name of an agent that this process hosts. Throws an `Error` for another one. */
  nameOf(type: AgentType): string {
    const name = this.agents[type];
    if (name === undefined) throw new Error(`this process hosts no ${type} agent`);
    return name;
  }

  /** Ends: the last heartbeat, which says how, and the last messages to the broker. */
  async close({ isHurried = false, hasFault = this.lifetime.fault !== undefined } = {}): Promise<void> {
    await this.payloads.close();
    await this.heartbeat.end(hasFault ? 'fault' : 'order');
    await this.#session?.close(isHurried);
  }

  async #openSession(broker: BrokerConnection, met: BrokerOptions): Promise<void> {
    this.#session = await openBrokerSession(broker, met, {
      processId: this.processId,
      isAlive,
      says: emittedBy(Object.keys(this.agents) as AgentType[]),
      onFault: (error) => this.lifetime.fail(error),
    });
  }
}

function brokerOptionsOf({ store, config, broker }: HostOptions, log: ProcessLog): BrokerOptions | undefined {
  if (broker === undefined) return undefined;
  const { namespace } = config.testbed;
  const { destinations } = config.broker;
  return { store, namespace, destinations, ...broker, warn: (message) => log.warn(message) };
}

function enterStore<T>(
  { store, config, user, version, broker }: HostOptions,
  agentTypes: readonly AgentType[],
  alsoEnter: Enter<T>,
): Promise<{ crew: Crew<AgentType>; entered: T }> {
  const entry = { identity: currentProcess(), version, user, namespace: config.testbed.namespace, agentTypes };
  return store.write((tx) => {
    if (broker !== undefined) spreadNumbers(tx, config.testbed);
    const crew = enterProcess(tx, entry);
    return { crew, entered: alsoEnter(tx, crew) };
  });
}
