import type { ProcessIdentity } from '../../lib/process-identity.ts';
import { wordsOf } from '../../lib/words.ts';
import { waitsForDriver } from '../log/commands.ts';
import { effectColumns } from '../log/rows.ts';
import { keyColumns, type LogPart, storedColumns } from '../maintenance/replay.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { numberOf } from '../migrations/names.ts';
import { reopenSettled } from '../observed/settle.ts';
import type { LivenessTest } from '../presence/leases.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Moment } from './moment.ts';

/** As SQL: the state of an agent at $iso. */
const agentsThen = `SELECT * FROM live.past_agents AS p
  WHERE since = (SELECT max(since) FROM live.past_agents WHERE agent_name = p.agent_name AND is_heard = p.is_heard AND since <= $iso)`;

/**
 * As SQL: when a process, as of $iso, had last been heard from. Taken from the history of its agents, if there
 * is any, since the process may have been silent then and heard from again later.
 */
const lastBeatThen = `min(last_beat, $iso, coalesce((SELECT max(min(until, $iso)) FROM (${agentsThen})
  WHERE process_id = processes.process_id AND (state <> 'EXITED' OR exited_at > $iso)), $iso))`;

/**
 * As SQL: the time up to which messages had been received at $now; during a gap, no later than the gap's
 * start.
 */
const heardThen = `min(until_ms, $now, coalesce((SELECT min(from_ms) FROM live.gaps WHERE from_ms <= $now AND until_ms > $now), $now))`;

/**
 * As SQL, by table: the rows, as of a moment, that cannot be derived from the log. A table comes after the
 * tables that it refers to. Each table is emptied and refilled, except the log lines, which are many and never
 * change.
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
  hearings: `SELECT namespace, since_ms, ${heardThen}, process_id, iif(process_id IS NULL AND until_ms > $now, ${heardThen}, min(beat_ms, $now)), topics, may_send FROM live.hearings
    WHERE since_ms <= $now AND (process_id IS NULL OR process_id IN (SELECT process_id FROM processes))`,
  gaps: `SELECT from_ms, min(until_ms, $now), reason FROM live.gaps WHERE from_ms < $now`,
  standstills: `SELECT standstill_id, execution_id, since, until FROM live.standstills WHERE until <= $iso`,
  removals: `SELECT execution_id, data_folder, removed_at, removed_by FROM live.removals`,
  moved_files: `SELECT tf_filename, execution_id, file_url, moved_at FROM live.moved_files WHERE moved_at <= $iso`,
  cursors: `SELECT execution_id, role, min(seq, $last) FROM live.cursors`,
};

/** Every table that `fillUnlogged` fills. */
export const filledTables: readonly string[] = [...Object.keys(fillings), 'app_logs'];

/**
 * Restores, as of a moment, the rows that are not in the log.
 * @param before the moment for which they were last restored
 */
export function fillUnlogged(sql: Prepare, at: Moment, before: Pick<Moment, 'iso' | 'last'>) {
  for (const table of Object.keys(fillings).toReversed()) sql(`DELETE FROM ${table}`).run();
  for (const [table, select] of Object.entries(fillings)) sql(`INSERT INTO ${table} ${select}`).run(at);
  // Log lines at the same position among the messages are distinguished by time. If the moment leaves out rows
  // before its last row, only the times of log lines decide.
  const isByTime = at.recordedBy < Number.MAX_SAFE_INTEGER;
  const isNew = isByTime
    ? 'timestamp <= $iso AND timestamp > $isoBefore'
    : `(after_seq, iif(after_seq = $last, timestamp, '')) <= ($last, $iso)
       AND (after_seq, iif(after_seq = $lastBefore, timestamp, '')) > ($lastBefore, $isoBefore)`;
  const between = { ...at, isoBefore: before.iso, lastBefore: before.last };
  sql(`INSERT INTO app_logs SELECT * FROM live.app_logs WHERE ${isNew}`).run(between);
}

const keyOf = ({ hostname, pid, pid_started }: ProcessIdentity) => `${hostname} ${pid} ${pid_started}`;

/**
 * As SQL: whether a process gave a sign of life after $iso and row $last: a heartbeat, or a message from one
 * of its agents before another process took over the agent's name.
 */
const wasHeardLater = `last_beat > $iso OR EXISTS (
  SELECT 1 FROM live.past_agents AS p JOIN live.names ON name = agent_name
  WHERE p.process_id = processes.process_id AND (
    SELECT recorded_ms FROM live.message_rows WHERE sender_no = name_no AND seq > $last ORDER BY seq LIMIT 1
  ) < coalesce((SELECT unixepoch(min(since), 'subsec') * 1000 FROM live.past_agents AS other
    WHERE other.agent_name = p.agent_name AND other.is_heard = p.is_heard AND other.process_id <> p.process_id AND other.since > p.since), 1e15))`;

/**
 * Whether a process was alive at a moment: it is alive now, or was heard from after the moment. A process
 * killed after its last sign of life counts as gone since that sign.
 */
export function livenessAt(sql: Prepare, isAlive: LivenessTest, { iso, now, last }: Moment): LivenessTest {
  const heard = new Set(
    sql<ProcessIdentity>(
      `SELECT pid, pid_started, hostname FROM live.processes AS processes WHERE registered_at <= $iso AND (${wasHeardLater})`,
    )
      .all({ iso, last })
      .map(keyOf),
  );
  // Only heartbeats show whether a process on another host is alive, at a past moment as well as now.
  const test = (identity: ProcessIdentity) => {
    const today = isAlive(identity);
    // Remembered, since the process may end before the next question about the same moment.
    if (today === true) heard.add(keyOf(identity));
    return today === false ? heard.has(keyOf(identity)) : today;
  };
  return Object.assign(test, { now });
}

/** Tables whose rows belong to an execution and are derived from the log. */
const ofExecution = wordsOf(`
  workflow_executions runs run_states stage_delays stf_files fastmon_files tf_slices earlier_attempts followed_starts payload_results returned_slices
  late_messages observed_runs observed_samples observed_keys stf_sites handed_over message_subjects
`);

/** Columns for which every store assigns its own numbers. */
const drawn: ReadonlySet<string> = new Set(['late_seq']);

/** Every table whose rows are copied with an execution. */
export const copiedTables: readonly string[] = [...ofExecution, 'message_rows'];

/** Tables whose rows are numbered in order of arrival. */
const numbered = wordsOf('workflow_executions stf_files fastmon_files tf_slices');

/**
 * As SQL: all messages except logbook entries, which may be added long after an execution and are always read
 * again.
 */
const ofRun = indexPredicates.exceptLogbook;

/**
 * The executions whose whole log is in the given part of the log. They have not changed since the past moment,
 * so they need no replay.
 */
export const unchangedSince = (sql: Prepare, { after, last, recordedBy }: LogPart) =>
  sql<string>(
    `SELECT execution_id FROM live.workflow_executions JOIN live.names ON name = execution_id
     WHERE (SELECT min(seq) FROM live.message_rows WHERE execution_no = name_no) > $after
       AND (SELECT seq FROM live.message_rows WHERE execution_no = name_no AND ${ofRun} ORDER BY seq DESC LIMIT 1) <= $last
       AND ($recordedBy = ${Number.MAX_SAFE_INTEGER} OR NOT EXISTS (SELECT 1 FROM live.message_rows WHERE execution_no = name_no AND ${ofRun} AND recorded_ms > $recordedBy))`,
  ).values({ after, last, recordedBy });

/** Copies everything derived from the log of an execution, and the rows of its log. */
export function copyExecution(sql: Prepare, executionId: string) {
  const ofLog = `execution_no = ${numberOf('?')}`;
  for (const table of ofExecution) sql(insertFrom(sql, table, 'execution_id = ?')).run(executionId);
  sql(insertFrom(sql, 'message_rows', `${ofLog} AND ${ofRun}`)).run(executionId);
  // Decide again whether the execution was still heard from at that moment.
  reopenSettled(sql, executionId);
}

/**
 * As SQL: copies rows from a table of the store.
 * @param instead as SQL: replacements for the values of some columns
 */
export function insertFrom(sql: Prepare, table: string, where: string, instead: Readonly<Record<string, string>> = {}) {
  const columns = storedColumns(sql, table).filter((name) => !drawn.has(name));
  const values = columns.map((name) => instead[name] ?? name);
  return `INSERT INTO ${table} (${columns.join(', ')}) SELECT ${values.join(', ')} FROM live.${table} WHERE ${where}`;
}

/**
 * Gives commands the effect that they had at a moment: no effect if they were still waiting for their driver.
 * @param iso the clock time of the moment
 */
export function commandsAsThen(sql: Prepare, { last, iso }: { last: number; iso: string }) {
  const noted = `SELECT seq FROM live.past_commands WHERE (after_seq, iif(after_seq = $last, noted_at, '')) <= ($last, $iso)`;
  sql(
    `UPDATE message_rows SET (effect, effect_code, effect_reason) = (
       SELECT l.effect, l.effect_code, l.effect_reason FROM live.message_rows AS l WHERE l.seq = message_rows.seq)
     WHERE seq IN (${noted})`,
  ).run({ last, iso });
  const { effect_code, effect_reason } = effectColumns(waitsForDriver);
  sql(
    `UPDATE message_rows SET effect = 'none', effect_code = $effect_code, effect_reason = $effect_reason
     WHERE seq IN (SELECT seq FROM live.past_commands) AND seq NOT IN (${noted})`,
  ).run({ last, iso, effect_code, effect_reason });
}

/**
 * Gives replayed rows numbers higher than those of all rows in the store. Returns the last number in each
 * table.
 */
export const numberBehind = (sql: Prepare): ReadonlyMap<string, number> =>
  new Map(
    numbered.map((table) => {
      const last = sql<number>('SELECT seq FROM live.sqlite_sequence WHERE name = ?').value(table) ?? 0;
      sql('DELETE FROM sqlite_sequence WHERE name = ?').run(table);
      sql('INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)').run(table, last);
      return [table, last];
    }),
  );

/**
 * Gives replayed rows the numbers that they have in the store, by which lists are ordered.
 * @param behind as `numberBehind` returned it
 */
export function numberAsRecorded(sql: Prepare, behind: ReadonlyMap<string, number>) {
  for (const table of numbered) {
    const same = keyColumns(sql, table)
      .map((column) => `l.${column} = ${table}.${column}`)
      .join(' AND ');
    sql(
      `UPDATE ${table} SET seq = coalesce((SELECT seq FROM live.${table} AS l WHERE ${same}), seq) WHERE seq > ?`,
    ).run(behind.get(table) ?? 0);
  }
}
