import { livenessOf, secondsAhead } from '../../domain/liveness.ts';
import type { AgentState, AgentStatus } from '../../domain/states.ts';
import { logLevels } from '../../lib/logger.ts';
import { objectsIn } from '../../lib/read-json.ts';
import { wallNow } from '../../lib/time.ts';
import { shortDigests } from '../../lib/words.ts';
import { type OffDuty, isRefused, wireVersion } from '../../messages/telemetry.ts';
import { drawNumber } from '../log/numbers.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { isProcessAlive, isRemote, type LivenessTest, type ProcessSigns, signColumns, momentOfTest } from './leases.ts';

/** Registers a starting agent under its own name, and returns the name. */
export function registerAgent(
  tx: Transaction,
  agent: { type: string; user: string; namespace: string; process_id: number; execution_id?: string },
) {
  const name = `${agent.type}-agent-${agent.user}-${drawNumber(tx, 'agent')}`;
  tx.sql(
    `INSERT INTO system_agents (agent_name, agent_type, namespace, state, last_heartbeat, process_id, current_execution_id)
     VALUES (?, ?, ?, 'STARTING', ?, ?, ?)`,
  ).run(name, agent.type, agent.namespace, wallNow(), agent.process_id, agent.execution_id ?? null);
  return name;
}

export interface Beat {
  state: AgentState;
  /** The execution that the agent last worked on; absent if already recorded. */
  execution_id?: string | undefined;
}

/**
 * How a process ended: it shut down cleanly, noticed a fault, or was killed. If it was killed, another process
 * records that end.
 */
export type ProcessEnd = 'order' | 'fault' | 'lost';

/** Records that a process and its agents have ended. Agents that ended because of a fault stay visible. */
export function recordEnd({ sql }: Transaction, processId: number, ended: ProcessEnd) {
  const now = wallNow();
  sql('UPDATE processes SET last_beat = ?, ended = ? WHERE process_id = ?').run(now, ended, processId);
  const state = ended === 'order' ? `state = 'EXITED', ` : '';
  sql(`UPDATE system_agents SET ${state}last_heartbeat = ? WHERE process_id = ?`).run(now, processId);
}

/** Records that a process and its agents are gone. An end that the process reported itself is kept. */
export function noteLost({ sql }: Transaction, processId: number) {
  sql(`UPDATE processes SET ended = 'lost' WHERE process_id = ? AND ended IS NULL`).run(processId);
  sql(`UPDATE system_agents SET state = 'EXITED' WHERE process_id = ?`).run(processId);
}

/** Records a heartbeat of a process and of the agents that it hosts, which are given by name. */
export function recordHeartbeat({ sql }: Transaction, processId: number, beats: ReadonlyMap<string, Beat>) {
  const now = wallNow();
  sql('UPDATE processes SET last_beat = ? WHERE process_id = ?').run(now, processId);
  for (const [name, { state, execution_id }] of beats)
    sql(
      `UPDATE system_agents SET state = ?, last_heartbeat = ?, current_execution_id = coalesce(?, current_execution_id)
       WHERE agent_name = ? AND ${indexPredicates.ownAgent}`,
    ).run(state, now, execution_id ?? null, name);
}

/** Records the work that an agent of this process currently does not accept. */
export function recordOffDuty({ sql }: Transaction, name: string, kinds: readonly OffDuty[]) {
  sql(`UPDATE system_agents SET off_duty = ? WHERE agent_name = ? AND ${indexPredicates.ownAgent}`).run(
    kinds.length === 0 ? null : JSON.stringify(kinds),
    name,
  );
}

export interface SignsOfLife extends ProcessSigns {
  state: AgentState;
  last_heartbeat: string;
  /** How the agent's process ended; null if no end is recorded. */
  ended: ProcessEnd | null;
}

type TypedSigns = SignsOfLife & { agent_type: string };

/** The process columns that determine an agent's status. */
export const processColumns = `${signColumns}, ended`;

const statusAfterEnd: Readonly<Record<ProcessEnd, AgentStatus>> = { order: 'OK', fault: 'ERROR', lost: 'STALE' };

/**
 * The status of an agent, which depends on when it was last heard from: `STALE` if its process has vanished or
 * has missed several heartbeats, `WARNING` if its heartbeat is late, `ERROR` if its process could not continue.
 * An agent that shut down cleanly is `OK`. Undefined while its last heartbeat is in the future because a clock
 * is off.
 */
export function agentStatus(row: SignsOfLife, isAlive: LivenessTest) {
  if (row.state === 'EXITED') return statusAfterEnd[row.ended ?? 'order'];
  if (!isProcessAlive(row, isAlive)) return row.ended === 'fault' ? 'ERROR' : 'STALE';
  const now = momentOfTest(isAlive);
  if (secondsAhead(Date.parse(row.last_heartbeat), now) > 0) return undefined;
  const liveness = livenessOf(row.last_heartbeat, now);
  if (liveness === 'heard') return 'OK';
  return liveness === 'late' && !isRemote(row) ? 'WARNING' : 'STALE';
}

/**
 * The current state of an agent. A worker is PROCESSING while it holds a slice, and only then; any other agent
 * is in the state that its last heartbeat reported. An agent whose process is gone has exited, whether it
 * reported that or not; the state of a silent agent on another host is unknown.
 */
export function agentState(row: TypedSigns, slicesInHand: number, isAlive: LivenessTest): AgentState | undefined {
  // A silent remote agent has not necessarily ended: the network may be down, or no recorder receives its
  // messages.
  if (row.state === 'EXITED' || (!isRemote(row) && !isProcessAlive(row, isAlive))) return 'EXITED';
  if (agentStatus(row, isAlive) === 'STALE') return undefined;
  if (row.agent_type !== 'worker') return row.state;
  if (slicesInHand > 0) return 'PROCESSING';
  return row.state === 'STARTING' ? 'STARTING' : 'READY';
}

/** Whether an agent sends signs of life, even if they are late or its clock is off. */
const isHeard = (row: SignsOfLife, isAlive: LivenessTest) =>
  !['ERROR', 'STALE'].includes(agentStatus(row, isAlive) ?? 'unknown');

interface HeardRow extends TypedSigns {
  agent: string;
  process_id: number;
  /** Number of slots of a worker. */
  slots: number | null;
  /** The kinds of work that the agent cannot do (JSON). */
  off_duty: string | null;
  wire: number | null;
  /** When it was noticed that the agent's messages about its slices do not arrive, ISO 8601; null if they do. */
  unheard_since: string | null;
}

/**
 * The live swf-mcp agents in a namespace, with the kinds of work that they cannot do.
 * @param condition as SQL
 */
const heardAgents = (sql: Prepare, namespace: string, isAlive: LivenessTest, condition: string) =>
  sql<HeardRow>(
    `SELECT agent_name AS agent, agent_type, process_id, state, last_heartbeat, ${processColumns}, slots, off_duty, wire, unheard_since
     FROM system_agents JOIN processes USING (process_id)
     WHERE namespace = ? AND state <> 'EXITED' AND ${indexPredicates.ownAgent} AND ${condition} ORDER BY seq`,
  )
    .all(namespace)
    .filter((row) => isHeard(row, isAlive))
    .map((row) => ({ ...row, off_duty: kindsIn(row.off_duty) }));

/** The types of live swf-mcp agents in a namespace, whatever they work on. */
export const livingTypes = (sql: Prepare, namespace: string, isAlive: LivenessTest) =>
  new Set(heardAgents(sql, namespace, isAlive, 'TRUE').map(({ agent_type }) => agent_type));

/** The live workers in a namespace, with the kinds of work that they cannot do. */
export const heardWorkers = (sql: Prepare, namespace: string, isAlive: LivenessTest) =>
  heardAgents(sql, namespace, isAlive, `agent_type = 'worker' AND coalesce(wire, ${wireVersion}) >= ${wireVersion}`);

interface Wanted {
  namespace: string;
  /** The recorder's process, and the number of slots configured for a worker that this process hosts. */
  recorder: { process_id: number; slots: number };
  /** The payload of the execution. Workers without it do not count. */
  payload: string | undefined;
}

/** Number of slots of all live workers in a namespace, except workers in this store's other processes. */
export const workerSlots = (sql: Prepare, { namespace, recorder, payload }: Wanted, isAlive: LivenessTest) =>
  heardWorkers(sql, namespace, isAlive)
    .filter(({ process_id, slots }) => slots !== null || process_id === recorder.process_id)
    .filter(({ off_duty }) => !off_duty.some(({ reason, name }) => reason === 'NO_PAYLOAD' && name === payload))
    .reduce((sum, { slots }) => sum + (slots ?? recorder.slots), 0);

/**
 * Live agents in a namespace that cannot do all work: they are off duty for some kinds of work; they are
 * refused because they use an earlier version of the messages; or they take slices, but their messages about
 * those slices do not arrive.
 */
export const troubledAgents = (sql: Prepare, namespace: string, isAlive: LivenessTest) =>
  heardAgents(
    sql,
    namespace,
    isAlive,
    `(off_duty IS NOT NULL OR wire < ${wireVersion} OR unheard_since IS NOT NULL)`,
  ).map(({ wire, ...agent }) => ({
    ...agent,
    isRefused: wire !== null && isRefused({ agent_type: agent.agent_type, wire }),
  }));

const kindsIn = (text: string | null): OffDuty[] =>
  objectsIn(text).filter(
    (kind): kind is Record<string, unknown> & OffDuty =>
      typeof kind['reason'] === 'string' && typeof kind['name'] === 'string',
  );

export const isSameKind = (a: OffDuty, b: OffDuty) => a.reason === b.reason && a.name === b.name;

/** How many of an agent's log lines to search for a warning about a kind of work. */
const maxLines = 500;

/** An agent's last warning about a kind of work that it cannot do. */
export function warningOf(sql: Prepare, agent: string, { reason, name }: OffDuty) {
  const words = `off duty for ${reason} ${shortDigests(name)}:`;
  const line = sql<string>(
    `SELECT message FROM (SELECT log_id, message FROM app_logs WHERE agent = ? AND level >= ${logLevels.WARNING} ORDER BY log_id DESC LIMIT ${maxLines})
     WHERE instr(message, ?) = 1 ORDER BY log_id DESC LIMIT 1`,
  ).value(agent, words);
  return line ?? null;
}
