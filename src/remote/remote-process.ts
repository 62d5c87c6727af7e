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
import type { AgentHeartbeat, ExecutionState, Telemetry } from '../messages/telemetry.ts';
import { type Part, type Surroundings, type RunningAgent, surroundingsOf } from './part.ts';
import { createReadingPart, createWorkerPart } from './parts.ts';
import { type RemoteHeartbeat, type Self, selfOf, startRemoteHeartbeat, createRemoteLog } from './reports.ts';

export interface RemoteOptions extends Pick<
  Surroundings,
  'namespace' | 'destinations' | 'broker' | 'params' | 'environment' | 'onStep'
> {
  type: 'data' | 'fastmon' | 'worker';
  /** Distinguishes agents of one type on one machine; counted from 1. */
  index: number;
  user: string;
  version: string;
  log: Log;
  logLevel: LogLevel;
  /** Aborted when the agent is to stop, perhaps while it is still waiting for its broker. */
  interrupted: AbortSignal;
}

/** How long to watch for another agent with the same name, in milliseconds. */
const twinMilliseconds = 10_000;

/** How long to wait for an agent's last messages, in milliseconds. */
const lastMessagesMilliseconds = 5000;

/** How often to look for files that have been kept long enough, in milliseconds. */
const tidyMilliseconds = 600_000;

/** How often to check whether reports from a recorder arrive, in milliseconds. */
const lookMilliseconds = 1000;

/**
 * The name of a remote agent, derived from the machine, the type and `index`, so that it stays the same
 * after a restart.
 * @param index distinguishes agents of one type on one machine, from 1
 */
export function remoteAgentName(type: AgentType, user: string, index: number) {
  const hash = sha256().update(`${machineId()}\n${type}\n${index}`).digest('hex');
  return `${type}-agent-${user}-${BigInt(`0x${hash}`).toString().slice(0, 8)}`;
}

/**
 * Starts an agent without a store. Throws `BROKER_REFUSED` if the broker refuses the agent, and
 * `NAMESPACE_IN_USE` if other software uses the namespace.
 */
export async function startRemoteAgent(options: RemoteOptions) {
  const { broker, namespace, destinations, interrupted: signal, log } = options;
  const onTrouble = (error: SwfError) => log.write({ level: 'WARNING', message: error.line });
  const { telemetry } = destinations;
  const guarded = await connectGuarded(broker, { patient: true, onTrouble, namespace, telemetry, signal });
  return runRemoteAgent(guarded, options);
}

function runRemoteAgent(connection: BrokerConnection, options: RemoteOptions): RunningAgent {
  const { type, user, index, version, namespace, destinations, log, logLevel } = options;
  const name = remoteAgentName(type, user, index);
  const self = selfOf(name, type, version);
  const destination = destinations.telemetry;
  const telemetry = { broker: connection, namespace, destination, sender: name, since: self.since };
  const agentLog = createRemoteLog({ ...telemetry, threshold: logLevel, log });
  let heartbeat: RemoteHeartbeat | undefined;
  const onChange = () => heartbeat?.changed();
  const lifetime = new Lifetime();
  const views = new ExecutionViews();
  const others = createAgentDirectory();
  const given = { ...options, name, connection, views, others, agentLog, lifetime, onChange };
  const around = surroundingsOf(given, agentLog.warn);
  const part = type === 'worker' ? createWorkerPart(around) : createReadingPart(type, around);
  /** Whether another process has this agent's name. */
  let isTwin = false;
  const hear = (report: Telemetry | undefined) => {
    if (report === undefined || report.namespace !== namespace) return;
    if (report.msg_type === 'execution_state') noteState(report, around);
    if (report.msg_type !== 'agent_heartbeat') return;
    if (report.agent_name !== name) others.note(report);
    const twin = twinIn(report, self);
    if (twin === undefined) return;
    isTwin = true;
    lifetime.fail(twin);
  };
  // Subscribe before sending the first heartbeat, which the recorder answers.
  connection.subscribe(reportsIn(namespace, destination, hear));
  const { broadcast, layout } = options.broker.listening;
  const ear = createForeignEar(namespace, (heard) => lifetime.fail(namespaceInUse(namespace, [heard], true)));
  for (const subscription of [unmarkedSubscription(broadcast, ear), ...layoutSubscriptions(layout, ear)])
    connection.subscribe(subscription);
  heartbeat = startRemoteHeartbeat({ ...telemetry, self, report: () => part.report() });
  const lastMessages = () => (isTwin ? heartbeat?.silence() : heartbeat?.close());
  return {
    name,
    done: work(part, around, lastMessages),
    stop: () => lifetime.drain(),
    figures() {
      const { in_hand, free_slots, off_duty } = part.report();
      const kindsOf = (reason: ReturnReason) => off_duty.filter((kind) => kind.reason === reason).length;
      return {
        unsent: around.speaker.unsent(),
        behind: type === 'worker' ? {} : { [type]: in_hand.length },
        slots: type === 'worker' ? { free: free_slots, busy: in_hand.length } : {},
        offDuty: Object.fromEntries(returnReasons.map((reason) => [reason, kindsOf(reason)])),
      };
    },
  };
}

/** @param lastMessages sends the last messages about the agent itself */
async function work(part: Part, around: Surroundings, lastMessages: () => unknown) {
  const { connection, lifetime, offDuty, views, agentLog } = around;
  let isSilenceTold = false;
  const lookForRecorder = () => {
    const isSilent = part.waits() && views.isSilent();
    if (isSilent && !isSilenceTold)
      agentLog.warn(`no recorder of namespace ${around.namespace} has been heard from for 15 s; is one running?`);
    isSilenceTold = isSilent;
  };
  const look = setInterval(lookForRecorder, lookMilliseconds);
  const tidying = setInterval(() => void tidy(around), tidyMilliseconds);
  try {
    await part.run();
    lifetime.throwFault();
  } finally {
    lifetime.stop();
    clearInterval(look);
    clearInterval(tidying);
    offDuty.close();
    views.close();
    const lastWords = Promise.all([lastMessages(), agentLog.close()]);
    await withDeadline(lastWords, lastMessagesMilliseconds, undefined);
    await connection.close();
  }
}

function noteState(state: ExecutionState, { views, access, onChange }: Surroundings) {
  // A recorder that has just started does not know this agent yet.
  if (views.stateOf(state.execution_id, state.store_id) === undefined) onChange();
  views.hear(state);
  if (state.status !== 'running') access.noteEnd(state.execution_id);
}

/**
 * Why this process gives up its name to the process that sent a heartbeat; undefined if that process has
 * another name, or is the one that must exit.
 */
function twinIn({ agent_name, since, hostname, pid, state }: AgentHeartbeat, self: Self) {
  const isTwin = agent_name === self.agent_name && since !== self.since && state !== 'EXITED';
  const began = Date.parse(self.since);
  if (!isTwin || Date.now() - began > twinMilliseconds) return undefined;
  // Of two agents that start at nearly the same time, the first one stays.
  const later = Date.parse(since) - began;
  if (later > 0 && later < twinMilliseconds) return undefined;
  return new SwfError(
    'AGENT_IN_USE',
    `${agent_name} is already running as process ${pid} on ${hostname}; stop that process, or start this one with a different --index`,
  );
}

async function tidy({ access, views, agentLog }: Surroundings) {
  try {
    await access.tidy((id) => views.stateOf(id)?.status === 'running');
  } catch (error) {
    agentLog.warn(`expired files cannot be removed: ${messageOf(error)}`);
  }
}
