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
 * As SQL: when a process was last heard from, until $iso: of its agents if it has any, since it may have been
 * silent for a while.
 */
const lastBeatThen = `min(last_beat, $iso, coalesce((SELECT max(min(until, $iso)) FROM (${agentsThen})
  WHERE process_id = processes.process_id AND (state <> 'EXITED' OR exited_at > $iso)), $iso))`;

/** As SQL: until when messages had been heard at $now: at most until a gap that had begun. */
const heardThen = `min(until_ms, $now, coalesce((SELECT min(from_ms) FROM live.gaps WHERE from_ms <= $now AND until_ms > $now), $now))`;

/**
 * Rows that cannot be derived from the log, as of a moment, by table; a table comes after the tables
 * that it refers to. Each is emptied and refilled, except log lines, which are many and never change.
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

/** Every table filled this way. */
export const filledTables: readonly string[] = [...Object.keys(fillings), 'app_logs'];

/** Restores rows outside the log as of a moment. @param before the moment they were last made for */
export function fillUnlogged(sql: Prepare, at: Moment, before: Pick<Moment, 'iso' | 'last'>) {
  for (const table of Object.keys(fillings).toReversed()) sql(`DELETE FROM ${table}`).run();
  for (const [table, select] of Object.entries(fillings)) sql(`INSERT INTO ${table} ${select}`).run(at);
  // Lines at one place among the messages are distinguished by time; if no row marks the cut, lines count by
  // their times alone, as messages do.
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
 * As SQL: whether a process gave a sign of life after $iso and row $last: a heartbeat, or a message of one of
 * its agents, before another process took over its name.
 */
const wasHeardLater = `last_beat > $iso OR EXISTS (
  SELECT 1 FROM live.past_agents AS p JOIN live.names ON name = agent_name
  WHERE p.process_id = processes.process_id AND (
    SELECT recorded_ms FROM live.message_rows WHERE sender_no = name_no AND seq > $last ORDER BY seq LIMIT 1
  ) < coalesce((SELECT unixepoch(min(since), 'subsec') * 1000 FROM live.past_agents AS other
    WHERE other.agent_name = p.agent_name AND other.is_heard = p.is_heard AND other.process_id <> p.process_id AND other.since > p.since), 1e15))`;

/**
 * Whether a process was alive at a moment: it is alive today, or was heard later. A process that was killed
 * between two signs of life counts as gone from the first one on.
 */
export function livenessAt(sql: Prepare, isAlive: LivenessTest, { iso, now, last }: Moment): LivenessTest {
  const heard = new Set(
    sql<ProcessIdentity>(
      `SELECT pid, pid_started, hostname FROM live.processes AS processes WHERE registered_at <= $iso AND (${wasHeardLater})`,
    )
      .all({ iso, last })
      .map(keyOf),
  );
  // For a process of another host its heartbeats decide, at that moment as today.
  const test = (identity: ProcessIdentity): boolean | undefined => {
    const today = isAlive(identity);
    // It may end before the same moment is asked about again.
    if (today === true) heard.add(keyOf(identity));
    return today === false ? heard.has(keyOf(identity)) : today;
  };
  return Object.assign(test, { now });
}

/** Tables with rows of an execution that are derived from the log. */
const ofExecution = wordsOf(`
  workflow_executions runs run_states stage_delays stf_files fastmon_files tf_slices earlier_attempts followed_starts payload_results returned_slices
  late_messages observed_runs observed_samples observed_keys stf_sites handed_over message_subjects
`);

/** Columns that every store numbers for itself. */
const drawn: ReadonlySet<string> = new Set(['late_seq']);

/** Every table whose rows are copied with an execution. */
export const copiedTables: readonly string[] = [...ofExecution, 'message_rows'];

/** Tables whose rows are numbered in order of arrival. */
const numbered = wordsOf('workflow_executions stf_files fastmon_files tf_slices');

/** As SQL: all but logbook entries, which may be added long after an execution and are always read again. */
const ofRun = indexPredicates.exceptLogbook;

/**
 * The executions whose whole log is among the new rows: they were then as they are now, and need no replay.
 */
export const unchangedSince = (sql: Prepare, { after, last, recordedBy }: LogPart) =>
  sql<string>(
    `SELECT execution_id FROM live.workflow_executions JOIN live.names ON name = execution_id
     WHERE (SELECT min(seq) FROM live.message_rows WHERE execution_no = name_no) > $after
       AND (SELECT seq FROM live.message_rows WHERE execution_no = name_no AND ${ofRun} ORDER BY seq DESC LIMIT 1) <= $last
       AND ($recordedBy = ${Number.MAX_SAFE_INTEGER} OR NOT EXISTS (SELECT 1 FROM live.message_rows WHERE execution_no = name_no AND ${ofRun} AND recorded_ms > $recordedBy))`,
  ).values({ after, last, recordedBy });

/** Copies everything derived from the log of an execution, with its log rows. */
export function copyExecution(sql: Prepare, executionId: string) {
  const ofLog = `execution_no = ${numberOf('?')}`;
  for (const table of ofExecution) sql(insertFrom(sql, table, 'execution_id = ?')).run(executionId);
  sql(insertFrom(sql, 'message_rows', `${ofLog} AND ${ofRun}`)).run(executionId);
  // Whether it had gone quiet is settled for the moment.
  reopenSettled(sql, executionId);
}

/**
 * As SQL: copies rows of a table of the store as they are.
 * @param instead as SQL: what columns have in place of their value
 */
export function insertFrom(
  sql: Prepare,
  table: string,
  where: string,
  instead: Readonly<Record<string, string>> = {},
): string {
  const columns = storedColumns(sql, table).filter((name) => !drawn.has(name));
  const values = columns.map((name) => instead[name] ?? name);
  return `INSERT INTO ${table} (${columns.join(', ')}) SELECT ${values.join(', ')} FROM live.${table} WHERE ${where}`;
}

/**
 * Gives commands the effect they had at a moment: none if they still waited for their driver.
 * @param iso the time of the clock
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

/** Numbers replayed rows after all rows of the store. Returns the last number of each table. */
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
 * Gives replayed rows the numbers that they have in the store, which order the lists.
 * @param behind as returned by `numberBehind`
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
