import { logLevels } from '../../lib/logger.ts';
import { lostStartsOf, sliceLostStarts } from './lost-starts.ts';
import { isoTime, messageColumns } from './message-columns.ts';
import { fullId } from './names.ts';

/**
 * As SQL: the number of STF files in an execution: the number of announced files or, if higher, the number in
 * the message about the end of its run.
 * @param stated the latter number
 */
export const stfCount = (stated: string) => `max(stfs_announced, coalesce(${stated}, 0))`;

/** As SQL: how many STF files of an execution in `workflow_executions AS e` failed at a site. */
export const failedStfs = `(SELECT count(DISTINCT stf_filename) FROM stf_sites AS w WHERE w.execution_id = e.execution_id AND w.status = 'failed')`;

/** As SQL: whether an STF file failed at a site. Other sites may still process it. */
export const isFailedStf = (files: string) =>
  `EXISTS (SELECT 1 FROM stf_sites AS w WHERE w.execution_id = ${files}.execution_id AND w.stf_filename = ${files}.stf_filename AND w.status = 'failed')`;

/**
 * As SQL: whether swf-mcp planned an execution. If so, a count of 0 is certain; otherwise, 0 may just mean that
 * nothing was received. The parameters do not show this, since other programs' parameters may have any keys.
 */
export const hasPlan = (execution: string) => `${execution}.origin IS 'own'`;

/**
 * As SQL: the number of an execution's attempts, not counting the first at each slice, from `run_states`.
 * Without a plan, the number is unknown until a message names a slice.
 */
export const knownRetries = (execution: string, state: string) =>
  `iif(slices_created > 0 OR ${hasPlan(execution)}, slice_retries + ${lostStartsOf(state)}, NULL)`;

/**
 * As SQL: the total size of an execution's STF files, from `runs`. Without a plan, it is unknown until a
 * message contains a size.
 */
export const knownBytes = (execution: string) => `iif(dataset_bytes > 0 OR ${hasPlan(execution)}, dataset_bytes, NULL)`;

export const levelName = (level: string) =>
  `CASE ${Object.entries(logLevels)
    .toReversed()
    .map(([name, number]) => `WHEN ${level} >= ${number} THEN '${name}'`)
    .join(' ')} ELSE CAST(${level} AS TEXT) END`;

/** As SQL: seconds from one time to another; NULL if one is missing. */
const secondsBetween = (from: string, to: string) =>
  `round(max(0, unixepoch(${to}, 'subsec') - unixepoch(${from}, 'subsec')), 3)`;

/**
 * As SQL: the id of the message that a message from another program repeats or contradicts.
 * @param rows the table of the messages
 */
export const standingFor = (rows: string, contradicts: 0 | 1) =>
  `(SELECT ${fullId('stands.short_id')} FROM message_subjects AS p JOIN message_rows AS stands ON stands.seq = p.stands_seq WHERE p.seq = ${rows}.seq AND p.stands_seq IS NOT NULL AND p.contradicts = ${contradicts})`;

/**
 * The views that `query_store` may query. Their columns have the same names as in the tools. `docs/store.md`
 * describes them for users, so existing columns must stay.
 */
export const documentedViews: Readonly<Record<string, string>> = {
  v_executions: `SELECT e.execution_id, e.origin, e.run_number, workflow_name, namespace, status, status_reason, phase, executed_by, CASE WHEN json_valid(params) THEN params ->> '$.speed' END AS speed,
  e.start_time, e.end_time, ${secondsBetween('e.start_time', 'e.end_time')} AS duration_seconds, ${stfCount('total_stf_files')} AS stf_count, tf_files_received,
  slices_created, slices_queued, slices_processing, slices_completed, slices_failed, slice_retries + ${lostStartsOf('e')} AS retries, dataset_bytes AS bytes
FROM workflow_executions AS e JOIN run_states AS s USING (execution_id) JOIN runs AS r USING (execution_id)`,
  v_stf_files: `SELECT stf_filename, execution_id, run_number, sequence, status, size_bytes, checksum, tf_count, tf_file_count, slice_count, created_at, processed_at
FROM stf_files`,
  v_tf_files: `SELECT tf_filename, stf_filename, execution_id, run_number, tf_first, tf_last, tf_count, size_bytes, slice_count, created_at
FROM fastmon_files`,
  v_slices: `SELECT slice_filename, slice_id, tf_filename, stf_filename, execution_id, run_number, tf_first, tf_last, tf_count, status, attempt - 1 + ${sliceLostStarts('tf_slices')} AS retries,
  assigned_worker, hostname, created_at, assigned_at, completed_at, ${secondsBetween('assigned_at', 'completed_at')} AS seconds, error
FROM tf_slices`,
  v_attempts: `SELECT slice_filename, attempt, execution_id, state, worker_id, hostname, starts, queued_at, started_at, completed_at,
  ${secondsBetween('started_at', 'completed_at')} AS seconds, error, exit_code, signal, output_tail
FROM slice_attempts AS a LEFT JOIN payload_results AS p USING (slice_filename, execution_id, attempt)
UNION ALL SELECT slice_filename, attempt, execution_id, 'lost', worker_id, hostname, 1, queued_at, started_at, NULL, ${secondsBetween('started_at', 'followed_at')}, 'its worker vanished', NULL, NULL, NULL
FROM lost_starts`,
  v_messages: `SELECT seq, ${messageColumns.message_id} AS message_id, t.name AS message_type, s.name AS sender_agent, n.name AS namespace, e.name AS execution_id, r.name AS run_id,
  ${isoTime('sent_ms')} AS sent_at, ${isoTime('recorded_ms')} AS recorded_at, effect, effect_code, effect_reason,
  iif(t.name IS 'run_workflow', NULL, ${messageColumns.payload}) AS payload, ${standingFor('m', 0)} AS repeats, ${standingFor('m', 1)} AS contradicts
FROM message_rows AS m LEFT JOIN names AS t ON t.name_no = type_no LEFT JOIN names AS s ON s.name_no = sender_no
  LEFT JOIN names AS n ON n.name_no = namespace_no LEFT JOIN names AS e ON e.name_no = execution_no LEFT JOIN names AS r ON r.name_no = run_no`,
  v_logs: `SELECT log_id, timestamp, ${levelName('level')} AS level, agent, message, execution_id, run_id, context FROM app_logs`,
  v_agents: `SELECT agent_name, agent_type, namespace, state, last_heartbeat, current_execution_id, pid, hostname
FROM system_agents JOIN processes USING (process_id)`,
  v_notes: `SELECT message_id, execution_id, text, author, sent_by, at, about, for_next, written_at FROM notes`,
  v_quality: `SELECT execution_id, value, reason, author, sent_by, set_at FROM run_quality`,
  v_alarms: `SELECT alarm_id, execution_id, code, subject, severity, state, coalesce(current_sentence, sentence) AS sentence, count, raised_at, seen_by, seen_sent_by, seen_at, seen_text, cleared_at, raised_sentence FROM alarms`,
  v_removed: `SELECT execution_id, removed_at, removed_by FROM removals`,
};
