import { beatSeconds, lateSeconds } from '../../domain/liveness.ts';
import { logLevels } from '../../lib/logger.ts';
import { onceFor } from '../../lib/once-for.ts';
import { utcNow, wallNow } from '../../lib/time.ts';
import type { AgentHeartbeat, AgentLog } from '../../messages/telemetry.ts';
import { insertLogLine } from '../log/log-lines.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { nameOf, shortId } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/**
 * When each agent sent its last heartbeat, by its own clock, and when that heartbeat arrived. Milliseconds.
 */
const arrivalsOf: (sql: Prepare) => Map<string, { sent: number; came: number }> = onceFor(() => new Map());

/**
 * By how much the clock of an agent's host is off, in tenths of a second; undefined if a heartbeat does not
 * show it. Heartbeats that were held up by a network failure or a stopped recorder arrive late, and many at
 * once. A heartbeat therefore shows the offset only if it arrived about one interval after the previous one,
 * and was also sent one interval after it.
 */
function offsetOf(sql: Prepare, { agent_name, timestamp }: AgentHeartbeat, now: string) {
  const came = Date.parse(now);
  const sent = Date.parse(timestamp ?? now);
  const before = arrivalsOf(sql).get(agent_name);
  arrivalsOf(sql).set(agent_name, { sent, came });
  if (before === undefined) return undefined;
  const interval = (came - before.came) / 1000;
  const isTimely = interval >= 0.4 * beatSeconds && interval <= 2 * beatSeconds;
  if (!isTimely || Math.abs(sent - before.sent - (came - before.came)) > heldUp) return undefined;
  return Math.round((sent - came) / 100) / 10;
}

/** If the delays of two successive heartbeats differ by more than this, one of them was held up. Milliseconds. */
const heldUp = 1000;

/**
 * Records a remote agent's heartbeat in the tables of processes and agents. Never changes an agent that runs
 * in this store, whatever name the remote agent uses.
 */
export function recordRemoteHeartbeat(tx: Transaction, beat: AgentHeartbeat) {
  const { sql } = tx;
  const now = wallNow();
  const { agent_name, agent_type, namespace, state, hostname, pid, version, since, free_slots, off_duty, wire } = beat;
  const process_id = sql<number>(
    `INSERT INTO processes (pid, pid_started, hostname, version, registered_at, last_beat, is_remote) VALUES (?, ?, ?, ?, ?, ?, 1)
     ON CONFLICT (hostname, pid, pid_started) WHERE ${indexPredicates.remoteProcess} DO UPDATE SET last_beat = excluded.last_beat, ended = NULL
     RETURNING process_id`,
  ).value(pid, since, hostname, version, now, now) as number;
  if (state === 'EXITED') {
    sql(`UPDATE processes SET ended = 'order' WHERE process_id = ?`).run(process_id);
    // Another process may have taken over the name.
    const holder = sql<number>(
      `SELECT process_id FROM system_agents WHERE agent_name = ? AND ${indexPredicates.ownAgent}`,
    );
    if (holder.value(agent_name) !== process_id) return;
  }
  if (isElderHeard(sql, beat, { process_id, now })) return;
  noteNewBeginning(tx, beat, now);
  const offset = offsetOf(sql, beat, now) ?? null;
  const execution = executionOf(sql, beat);
  const slots = beat.slots ?? beat.in_hand.length + free_slots;
  const kinds = off_duty.length === 0 ? null : JSON.stringify(off_duty);
  sql(
    `INSERT INTO system_agents (agent_name, agent_type, namespace, state, last_heartbeat, process_id, current_execution_id, slots, free_slots, off_duty, wire)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (agent_name) WHERE ${indexPredicates.ownAgent} DO UPDATE SET agent_type = excluded.agent_type, namespace = excluded.namespace, state = excluded.state, last_heartbeat = excluded.last_heartbeat, process_id = excluded.process_id,
       current_execution_id = coalesce(excluded.current_execution_id, current_execution_id), slots = excluded.slots, free_slots = excluded.free_slots,
       off_duty = excluded.off_duty, clock_offset = iif(process_id <> excluded.process_id, NULL, coalesce(?, clock_offset)), wire = excluded.wire,
       unheard_since = iif(process_id = excluded.process_id, unheard_since, NULL)
     WHERE process_id IN (SELECT process_id FROM processes WHERE ${indexPredicates.remoteProcess})`,
  ).run(agent_name, agent_type, namespace, state, now, process_id, execution, slots, free_slots, kinds, wire, offset);
}

/**
 * Whether an older process with the agent's name was heard from after this one began, and so is alive. The
 * younger process will end, and its start must not make the slices of the older process look lost.
 */
function isElderHeard(
  sql: Prepare,
  { agent_name, since }: AgentHeartbeat,
  { process_id, now }: { process_id: number; now: string },
) {
  const late = new Date(Date.parse(now) - lateSeconds * 1000).toISOString();
  return sql(
    `SELECT 1 FROM system_agents JOIN processes USING (process_id) WHERE agent_name = ? AND ${indexPredicates.ownAgent}
       AND ${indexPredicates.remoteProcess} AND pid_started < ? AND last_beat > ? AND ended IS NULL
       AND last_beat > (SELECT registered_at FROM processes WHERE process_id = ?)`,
  ).has(agent_name, since, late, process_id);
}

/**
 * Logs a warning about a predecessor that has not reported its end: it or its host was killed, or two processes
 * use one name. If the warning recurs every minute, it is the latter, and an operator must know.
 */
function noteNewBeginning(tx: Transaction, beat: AgentHeartbeat, now: string) {
  const before = tx
    .sql<{ pid: number; pid_started: string; state: string; current_execution_id: string | null }>(
      `SELECT pid, pid_started, state, current_execution_id FROM system_agents JOIN processes USING (process_id)
       WHERE agent_name = ? AND ${indexPredicates.ownAgent} AND ${indexPredicates.remoteProcess}`,
    )
    .get(beat.agent_name);
  // If two processes use one name, the older one keeps running.
  if (before === undefined || before.state === 'EXITED' || before.pid_started >= beat.since) return;
  const message = `process ${beat.pid} on ${beat.hostname} has started under the name of process ${before.pid}, which has not reported its end: it was killed or is still running`;
  const origin = { agent: beat.agent_name, execution_id: before.current_execution_id };
  insertLogLine(tx, { timestamp: now, level: logLevels.WARNING, message, ...origin });
}

/** Records that an agent's messages about its slices are not arriving. */
export function noteUnheard({ sql }: Transaction, agent: string) {
  sql(
    `UPDATE system_agents SET unheard_since = coalesce(unheard_since, ?) WHERE agent_name = ? AND ${indexPredicates.ownAgent}`,
  ).run(wallNow(), agent);
}

export function noteHeard({ sql }: Transaction, agent: string) {
  sql(
    `UPDATE system_agents SET unheard_since = NULL WHERE agent_name = ? AND ${indexPredicates.ownAgent} AND unheard_since IS NOT NULL`,
  ).run(agent);
}

/**
 * The execution of the agent's first slice in hand. The slice's message is recorded here, since this recorder
 * sent it.
 */
function executionOf(sql: Prepare, { in_hand: [first] }: AgentHeartbeat) {
  if (first === undefined) return null;
  const named = `SELECT ${nameOf('execution_no')} FROM message_rows WHERE short_id = ${shortId('?')}`;
  return sql<string | null>(named).value(first) ?? null;
}

/** Writes each log line of a remote agent once, however often it arrives. */
export function recordRemoteLines(tx: Transaction, { sender, since, lines, dropped = 0 }: AgentLog) {
  const { sql } = tx;
  const known = sql<{ process_id: number; logged_n: number; pid_started: string }>(
    `SELECT process_id, logged_n, pid_started FROM system_agents JOIN processes USING (process_id) WHERE agent_name = ? AND ${indexPredicates.ownAgent}`,
  ).get(sender);
  // An agent's heartbeat arrives before its log lines. Lines left behind by an earlier process with the same
  // name are written too.
  const mark = known?.pid_started === since ? known : undefined;
  const fresh = lines.filter(({ n }) => n > (mark?.logged_n ?? 0));
  const runOf = sql<number | null>('SELECT run_number FROM workflow_executions WHERE execution_id = ?');
  for (const { timestamp, level, message, context, execution_id } of fresh) {
    const run = execution_id && runOf.value(execution_id);
    const run_id = run === null || run === undefined ? undefined : String(run);
    insertLogLine(tx, { timestamp, level: logLevels[level], agent: sender, message, execution_id, run_id, context });
  }
  if (dropped > 0 && fresh.length > 0) {
    const message = `${dropped} log lines were dropped before they could be sent`;
    insertLogLine(tx, { timestamp: utcNow(), level: logLevels.WARNING, agent: sender, message });
  }
  const last = fresh.at(-1);
  if (mark !== undefined && last !== undefined)
    sql('UPDATE processes SET logged_n = ? WHERE process_id = ?').run(last.n, mark.process_id);
}

/**
 * Counts agents as just heard from when a recorder reconnects, since the recorder received nothing while
 * disconnected.
 */
export function forgiveSilence({ sql }: Transaction, since: string) {
  const now = wallNow();
  const heard = `process_id IN (SELECT process_id FROM processes WHERE ${indexPredicates.remoteProcess} AND ended IS NULL AND last_beat >= ?) AND ${indexPredicates.ownAgent}`;
  sql(`UPDATE system_agents SET last_heartbeat = ? WHERE ${heard}`).run(now, since);
  sql(
    `UPDATE processes SET last_beat = ? WHERE ${indexPredicates.remoteProcess} AND ended IS NULL AND last_beat >= ? AND hostname <> ''`,
  ).run(now, since);
}
