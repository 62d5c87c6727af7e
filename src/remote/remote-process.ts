import type { BrokerConnection } from '../broker/connection.ts';
import { type ReturnReason, returnReasons } from '../domain/slice-returns.ts';
import type { AgentType } from '../domain/states.ts';
import { createAgentDirectory } from '../exchange/agent-directory.ts';
import { ExecutionViews } from '../exchange/execution-views.ts';
import {
  connectGuarded,
  createForeignEar,
  layoutSubscriptions,
  namespaceInUse,
  unmarkedSubscription,
} from '../exchange/namespace-guard.ts';
import { reportsIn } from '../exchange/wire.ts';
import { withDeadline } from '../lib/deadline.ts';
import { messageOf, SwfError } from '../lib/errors.ts';
import { Lifetime } from '../lib/lifetime.ts';
import type { Log, LogLevel } from '../lib/logger.ts';
import { machineId } from '../lib/process-identity.ts';
import { sha256 } from '../lib/sha256.ts';
import type { Telemetry } from '../messages/telemetry.ts';
import { type Part, type Surroundings, type Figures, type RunningAgent, surroundingsOf } from './part.ts';
import { createReadingPart, createWorkerPart } from './parts.ts';
import { type RemoteHeartbeat, type Self, selfOf, startRemoteHeartbeat, createRemoteLog } from './reports.ts';

export interface RemoteOptions extends Pick<
  Surroundings,
  'namespace' | 'destinations' | 'broker' | 'params' | 'environment' | 'onStep'
> {
  type: 'data' | 'fastmon' | 'worker';
  /** Distinguishes agents of one type on one machine, from 1. */
  index: number;
  user: string;
  version: string;
  log: Log;
  logLevel: LogLevel;
  /** Aborted when the agent is to stop, perhaps while it still waits for its broker. */
  interrupted: AbortSignal;
}

/** How long to watch for another agent with the same name, in milliseconds. */
const twinMilliseconds = 10_000;

/** How long to wait for an agent's last messages, in milliseconds. */
const lastMessagesMilliseconds = 5000;

/** How often to look for files that were kept long enough, in milliseconds. */
const tidyMilliseconds = 600_000;

/** How often to check whether a recorder is heard, in milliseconds. */
const lookMilliseconds = 1000;

/**
 * The name of a remote agent, derived from the machine, the type and `index`, so a restart keeps it.
 * @param index distinguishes agents of one type on one machine, from 1
 */
export function remoteAgentName(type: AgentType, user: string, index: number): string {
  const hash = sha256().update(`${machineId()}\n${type}\n${index}`).digest('hex');
  return `${type}-agent-${user}-${BigInt(`0x${hash}`).toString().slice(0, 8)}`;
}

/** Starts an agent without a store. Throws `BROKER_REFUSED` if the broker does not let it in, and `NAMESPACE_IN_USE`. */
export async function startRemoteAgent(options: RemoteOptions): Promise<RunningAgent> {
  const { broker, namespace, destinations, interrupted: signal, log } = options;
  const onTrouble = (error: SwfError) => log.write({ level: 'WARNING', message: error.line });
  const { telemetry } = destinations;
  const guarded = await connectGuarded(broker, { patient: true, onTrouble, namespace, telemetry, signal });
  return new RemoteAgent(guarded, options);
}

class RemoteAgent implements RunningAgent {
  readonly name: string;
  readonly done: Promise<void>;
  readonly #type: RemoteOptions['type'];
  readonly #self: Self;
  readonly #around: Surroundings;
  readonly #part: Part;
  readonly #heartbeat: RemoteHeartbeat;
  #isSilenceTold = false;
  /** Whether another process has the name. */
  #isTwin = false;

  constructor(broker: BrokerConnection, options: RemoteOptions) {
    const { type, user, index, version, namespace, destinations, log, logLevel } = options;
    this.#type = type;
    this.name = remoteAgentName(type, user, index);
    const self = selfOf(this.name, type, version);
    this.#self = self;
    const telemetry = { broker, namespace, destination: destinations.telemetry, sender: this.name, since: self.since };
    const agentLog = createRemoteLog({ ...telemetry, threshold: logLevel, log });
    const warn = (message: string) => agentLog.warn(message);
    const onChange = () => this.#heartbeat?.changed();
    const lifetime = new Lifetime();
    const { name } = this;
    const views = new ExecutionViews();
    const others = createAgentDirectory();
    const given = { ...options, name, connection: broker, views, others, agentLog, lifetime, onChange };
    this.#around = surroundingsOf(given, warn);
    this.#part = type === 'worker' ? createWorkerPart(this.#around) : createReadingPart(type, this.#around);
    // Subscribe before sending the first heartbeat, which the recorder answers.
    broker.subscribe(reportsIn(namespace, destinations.telemetry, (report) => this.#hear(report)));
    const { broadcast, layout } = options.broker.listening;
    const ear = createForeignEar(namespace, (heard) => lifetime.fail(namespaceInUse(namespace, [heard], true)));
    for (const subscription of [unmarkedSubscription(broadcast, ear), ...layoutSubscriptions(layout, ear)])
      broker.subscribe(subscription);
    this.#heartbeat = startRemoteHeartbeat({ ...telemetry, self, report: () => this.#part.report() });
    this.done = this.#work();
  }

  stop(): void {
    this.#around.lifetime.drain();
  }

  figures(): Figures {
    const type = this.#type;
    const { in_hand, free_slots, off_duty } = this.#part.report();
    const kindsOf = (reason: ReturnReason) => off_duty.filter((kind) => kind.reason === reason).length;
    return {
      unsent: this.#around.speaker.unsent(),
      behind: type === 'worker' ? {} : { [type]: in_hand.length },
      slots: type === 'worker' ? { free: free_slots, busy: in_hand.length } : {},
      offDuty: Object.fromEntries(returnReasons.map((reason) => [reason, kindsOf(reason)])),
    };
  }

  async #work() {
    const { connection, lifetime, offDuty, views, agentLog } = this.#around;
    const look = setInterval(() => this.#lookForRecorder(), lookMilliseconds);
    const tidy = setInterval(() => void this.#tidy(), tidyMilliseconds);
    try {
      await this.#part.run();
      lifetime.throwFault();
    } finally {
      lifetime.stop();
      clearInterval(look);
      clearInterval(tidy);
      offDuty.close();
      views.close();
      const lastMessages = this.#isTwin ? this.#heartbeat.silence() : this.#heartbeat.close();
      const lastWords = Promise.all([lastMessages, agentLog.close()]);
      await withDeadline(lastWords, lastMessagesMilliseconds, undefined);
      await connection.close();
    }
  }

  #hear(telemetry: Telemetry | undefined) {
    const { namespace, views, access, others, lifetime, onChange } = this.#around;
    if (telemetry === undefined || telemetry.namespace !== namespace) return;
    if (telemetry.msg_type === 'execution_state') {
      // A recorder that has just begun to speak does not know of this agent yet.
      if (views.stateOf(telemetry.execution_id, telemetry.store_id) === undefined) onChange();
      views.hear(telemetry);
      if (telemetry.status !== 'running') access.noteEnd(telemetry.execution_id);
      return;
    }
    if (telemetry.msg_type !== 'agent_heartbeat') return;
    const { agent_name, since, hostname, pid, state } = telemetry;
    if (agent_name !== this.name) others.note(telemetry);
    const isTwin = agent_name === this.name && since !== this.#self.since && state !== 'EXITED';
    const began = Date.parse(this.#self.since);
    if (!isTwin || Date.now() - began > twinMilliseconds) return;
    // Of two agents that start together, the first stays.
    const later = Date.parse(since) - began;
    if (later > 0 && later < twinMilliseconds) return;
    this.#isTwin = true;
    lifetime.fail(
      new SwfError(
        'AGENT_IN_USE',
        `${agent_name} is process ${pid} on ${hostname} already; end that, or start this one with another --index`,
      ),
    );
  }

  async #tidy() {
    const { access, views, agentLog } = this.#around;
    try {
      await access.tidy((id) => views.stateOf(id)?.status === 'running');
    } catch (error) {
      agentLog.warn(`files that were kept long enough cannot be removed: ${messageOf(error)}`);
    }
  }

  #lookForRecorder() {
    const { namespace, views, agentLog } = this.#around;
    const isSilent = this.#part.waits() && views.isSilent();
    if (isSilent && !this.#isSilenceTold)
      agentLog.warn(`no recorder of namespace ${namespace} has been heard for 15 s; is one running?`);
    this.#isSilenceTold = isSilent;
  }
}
