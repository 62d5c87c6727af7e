import type { ProcessIdentity } from '../../lib/process-identity.ts';
import type { LivenessTest } from '../presence/leases.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Moment } from './moment.ts';

/** As SQL: the state of an agent at $iso. */
const agentsThen = `SELECT * FROM live.past_agents AS p
  WHERE since = (SELECT max(since) FROM live.past_agents WHERE agent_name = p.agent_name AND is_heard = p.is_heard AND since <= $iso)`;

/** As SQL: the last sign of life of a process until $iso: of its agents if it has any, since it may have been silent for a while. */
const lastBeatThen = `min(last_beat, $iso, coalesce((SELECT max(min(until, $iso)) FROM (${agentsThen})
  WHERE process_id = processes.process_id AND (state <> 'EXITED' OR exited_at > $iso)), $iso))`;

/**
 * Rows that do not follow from the log, as they were at a moment, by table; a table comes after the tables that it refers to. Each is emptied and
 * refilled, except log lines, which are many and never change.
 */
const fillings: Readonly<Record<string, string>> = {
  store_meta: `SELECT key, value FROM live.store_meta`,
  processes: `SELECT process_id, pid, pid_started, hostname, version, registered_at, ${lastBeatThen}, iif(last_beat > $iso OR EXISTS (SELECT 1 FROM live.past_agents AS p WHERE p.process_id = processes.process_id AND exited_at > $iso), NULL, ended), logged_n, is_remote
    FROM live.processes AS processes WHERE registered_at <= $iso`,
  execution_owners: `SELECT execution_id, process_id, epoch, taken_at FROM live.past_leases AS p
    WHERE process_id IN (SELECT process_id FROM processes)
      AND epoch = (SELECT max(epoch) FROM live.past_leases WHERE execution_id = p.execution_id AND taken_at <= $iso AND (epoch = 1 OR after_seq < $last))`,
  recorders: `SELECT namespace, process_id, iif(broker_away_since > $iso, NULL, broker_away_since) FROM live.recorders
    WHERE process_id IN (SELECT process_id FROM processes)`,
  system_agents: `SELECT a.seq, p.agent_name, p.agent_type, p.namespace,
      iif(p.exited_at > $iso, p.before_exit, p.state), min(p.until, $iso), p.process_id, p.current_execution_id, p.slots, p.free_slots, p.off_duty,
      p.clock_offset, p.wire, p.unheard_since, p.heard_on
    FROM (${agentsThen}) AS p JOIN live.system_agents AS a ON a.agent_name = p.agent_name AND (a.heard_on IS NOT NULL) = p.is_heard JOIN live.processes AS d ON d.process_id = p.process_id
    WHERE d.registered_at <= $iso`,
  hearings: `SELECT namespace, since_ms, min(until_ms, $now), process_id, min(beat_ms, $now), topics, may_send FROM live.hearings
    WHERE since_ms <= $now AND (process_id IS NULL OR process_id IN (SELECT process_id FROM processes))`,
  gaps: `SELECT from_ms, min(until_ms, $now), reason FROM live.gaps WHERE from_ms < $now`,
  standstills: `SELECT standstill_id, execution_id, since, until FROM live.standstills WHERE until <= $iso`,
  removals: `SELECT execution_id, data_folder, removed_at, removed_by FROM live.removals`,
  moved_files: `SELECT tf_filename, execution_id, file_url, moved_at FROM live.moved_files WHERE moved_at <= $iso`,
  cursors: `SELECT execution_id, role, min(seq, $last) FROM live.cursors`,
};

/** Every table filled this way. */
export const filledTables: readonly string[] = [...Object.keys(fillings), 'app_logs'];

/** Restores rows outside the log as of a moment. @param before the moment they were last made for */
export function fillUnlogged(sql: Prepare, at: Moment, before: Pick<Moment, 'iso' | 'last'>): void {
  for (const table of Object.keys(fillings).toReversed()) sql(`DELETE FROM ${table}`).run();
  for (const [table, select] of Object.entries(fillings)) sql<[object]>(`INSERT INTO ${table} ${select}`).run(at);
  // Lines at one place among the messages are told apart by time; if no row marks the cut, lines count by their times alone, as messages do.
  const isByTime = at.recordedBy < Number.MAX_SAFE_INTEGER;
  const isNew = isByTime
    ? 'timestamp <= $iso AND timestamp > $isoBefore'
    : `(after_seq, iif(after_seq = $last, timestamp, '')) <= ($last, $iso)
       AND (after_seq, iif(after_seq = $lastBefore, timestamp, '')) > ($lastBefore, $isoBefore)`;
  const between = { ...at, isoBefore: before.iso, lastBefore: before.last };
  sql<[object]>(`INSERT INTO app_logs SELECT * FROM live.app_logs WHERE ${isNew}`).run(between);
}

const keyOf = ({ hostname, pid, pid_started }: ProcessIdentity): string => `${hostname} ${pid} ${pid_started}`;

/**
 * As SQL: whether a process gave a sign of life after $iso and row $last: a heartbeat, or a message of one of its agents, before another process took its name.
 */
const wasHeardLater = `last_beat > $iso OR EXISTS (
  SELECT 1 FROM live.past_agents AS p JOIN live.names ON name = agent_name
  WHERE p.process_id = processes.process_id AND (
    SELECT recorded_ms FROM live.message_rows WHERE sender_no = name_no AND seq > $last ORDER BY seq LIMIT 1
  ) < coalesce((SELECT unixepoch(min(since), 'subsec') * 1000 FROM live.past_agents AS other
    WHERE other.agent_name = p.agent_name AND other.is_heard = p.is_heard AND other.process_id <> p.process_id AND other.since > p.since), 1e15))`;

/**
 * Whether a process was alive at a moment: it is alive today, or was heard later. A process that was killed between two signs of life counts as
 * gone from the first one on.
 */
export function livenessAt(sql: Prepare, isAlive: LivenessTest, { iso, now, last }: Moment): LivenessTest {
  const heard = new Set(
    sql<[object], ProcessIdentity>(
      `SELECT pid, pid_started, hostname FROM live.processes AS processes WHERE registered_at <= $iso AND (${wasHeardLater})`,
    )
      .all({ iso, last })
      .map(keyOf),
  );
  // For a process of another host its heartbeats decide, then as now.
  const test = (identity: ProcessIdentity): boolean | undefined => {
    const today = isAlive(identity);
    // It may end before the same moment is asked about again.
    if (today === true) heard.add(keyOf(identity));
    return today === false ? heard.has(keyOf(identity)) : today;
  };
  return Object.assign(test, { now });
}
