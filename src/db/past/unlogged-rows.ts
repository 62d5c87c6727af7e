import { beatSeconds } from '../../domain/liveness.ts';
import type { ProcessIdentity } from '../../lib/process-identity.ts';
import type { LivenessTest } from '../presence/leases.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** A moment in the forms that tables have. */
interface At {
  /** ISO 8601. */
  iso: string;
  ms: number;
  /** The last row of the log. */
  last: number;
}

/** As SQL: the state of an agent at $iso. */
const agentsThen = `SELECT * FROM live.past_agents AS p
  WHERE since = (SELECT max(since) FROM live.past_agents WHERE agent_name = p.agent_name AND since <= $iso)`;

/** As SQL: the last sign of life of a process until $iso: its agents' where it has any, since it may have been silent for a while. */
const lastBeatThen = `min(last_beat, $iso, coalesce((SELECT max(min(until, $iso)) FROM (${agentsThen})
  WHERE process_id = live.processes.process_id AND state <> 'EXITED'), $iso))`;

/**
 * What is not in the log, as it was at a moment, by table; those that refer to others come behind them. Each is emptied and filled anew, but for the lines of
 * logs, which are many and never change.
 */
const fillings: Readonly<Record<string, string>> = {
  store_meta: `SELECT key, value FROM live.store_meta`,
  processes: `SELECT process_id, pid, pid_started, hostname, version, registered_at, ${lastBeatThen}, iif(last_beat > $iso, NULL, ended), logged_n, is_remote, ahead_ms
    FROM live.processes WHERE registered_at <= $iso`,
  execution_owners: `SELECT execution_id, process_id, epoch, taken_at FROM live.past_leases AS p
    WHERE process_id IN (SELECT process_id FROM processes)
      AND epoch = (SELECT max(epoch) FROM live.past_leases WHERE execution_id = p.execution_id AND taken_at <= $iso)`,
  recorders: `SELECT namespace, process_id, iif(broker_away_since > $iso, NULL, broker_away_since) FROM live.recorders
    WHERE process_id IN (SELECT process_id FROM processes)`,
  system_agents: `SELECT a.seq, p.agent_name, p.agent_type, p.namespace, p.state, min(p.until, $iso), p.process_id, p.current_execution_id, p.slots, p.free_slots, p.off_duty,
      p.clock_offset, p.wire, p.unheard_since, p.heard_on
    FROM (${agentsThen}) AS p JOIN live.system_agents AS a USING (agent_name) WHERE p.process_id IN (SELECT process_id FROM processes)`,
  hearings: `SELECT namespace, since_ms, min(until_ms, $ms), process_id, may_send FROM live.hearings
    WHERE since_ms <= $ms AND (process_id IS NULL OR process_id IN (SELECT process_id FROM processes))`,
  gaps: `SELECT from_ms, min(until_ms, $ms), reason FROM live.gaps WHERE from_ms < $ms`,
  incidents: `SELECT incident_id, execution_id, kind, hostname, since, until, seconds, skipped FROM live.incidents WHERE coalesce(until, since) <= $iso`,
  removals: `SELECT execution_id, data_folder, removed_at, removed_by FROM live.removals WHERE removed_at <= $iso`,
  moved_files: `SELECT tf_filename, execution_id, file_url, moved_at FROM live.moved_files WHERE moved_at <= $iso`,
  cursors: `SELECT execution_id, role, min(seq, $last) FROM live.cursors`,
};

/** Makes what is not in the log as it was at a moment. @param before the moment that it was made for last, in milliseconds since 1970 */
export function fillUnlogged(sql: Prepare, { ms, last }: Omit<At, 'iso'>, before: number): void {
  const at = { iso: new Date(ms).toISOString(), ms, last };
  for (const table of Object.keys(fillings).toReversed()) sql(`DELETE FROM ${table}`).run();
  for (const [table, select] of Object.entries(fillings)) {
    const used = Object.fromEntries(Object.entries(at).filter(([name]) => select.includes(`$${name}`)));
    sql<[object] | []>(`INSERT INTO ${table} ${select}`).run(
      ...((Object.keys(used).length === 0 ? [] : [used]) as [object]),
    );
  }
  sql('INSERT INTO app_logs SELECT * FROM live.app_logs WHERE timestamp > ? AND timestamp <= ?').run(
    new Date(before).toISOString(),
    at.iso,
  );
}

const keyOf = ({ hostname, pid, pid_started }: ProcessIdentity): string => `${hostname} ${pid} ${pid_started}`;

/** A process that was killed is known to be gone when its next sign of life is missing. Milliseconds. */
const grace = (beatSeconds + 1) * 1000;

/** Whether a process lived at a moment: it gave signs of life after it, or lives today. @param now of the moment, in milliseconds since 1970 */
export function livenessAt(sql: Prepare, isAlive: LivenessTest, now: number): LivenessTest {
  const signs = new Map(
    sql<[], ProcessIdentity & { last_beat: string }>('SELECT pid, pid_started, hostname, last_beat FROM live.processes')
      .all()
      .map((row) => [keyOf(row), Date.parse(row.last_beat)]),
  );
  const test = (identity: ProcessIdentity): boolean | undefined => {
    const today = isAlive(identity);
    // Of a process of another host its heartbeats tell, then as now.
    if (today !== false) return today;
    return (signs.get(keyOf(identity)) ?? 0) > now - grace;
  };
  return Object.assign(test, { now });
}
