import { utcNow } from '../../lib/time.ts';
import { wordsOf } from '../../lib/words.ts';
import type { Removal } from '../log/removals.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { isoTime } from '../migrations/message-columns.ts';
import { nameOf, numberOf } from '../migrations/names.ts';
import { forgetCounts, lastNoted } from '../notes/row-blocks.ts';
import { dropPart, emptyParts, searchedTables } from '../notes/word-parts.ts';
import type { Store } from '../opening/store.ts';
import { isProcessAlive, type LivenessTest, ownerOf } from '../presence/leases.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { forgetRequests } from '../stand-in/requests.ts';

interface Removable extends Removal {
  status: string;
  end_time: string | null;
}

export interface RemovalRule {
  /** Number of newest executions to keep, whatever their age. */
  keep?: number | undefined;
  /** Select only executions that ended before this time. */
  endedBefore?: string | undefined;
  /** Select executions of other programs instead of our own. */
  observed?: boolean | undefined;
}

/**
 * As SQL: true unless a note about the execution was left for the next shift in the last day. Older notes are
 * assumed to have been read.
 */
const isLeftForNobody = `execution_id NOT IN (SELECT execution_id FROM notes WHERE for_next = 1 AND execution_id IS NOT NULL AND written_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1 day'))`;

/** How long after the end of an execution its process may still have messages to send. */
const lastMessagesMilliseconds = 60_000;

/**
 * Ended executions that a rule selects, oldest first, except those with a live process, unsent messages, or a
 * note for the next shift.
 */
export function removableExecutions(sql: Prepare, rule: RemovalRule, isAlive: LivenessTest) {
  const { keep = 0, endedBefore, observed = false } = rule;
  if (observed) return removableObserved(sql, keep, endedBefore);
  return sql<Removable>(
    `SELECT execution_id, status, end_time,
       CASE WHEN params ->> '$.data.write_files' AND params ->> '$.data.dir' IS NOT NULL
         THEN (params ->> '$.data.dir') || '/' || execution_id END AS data_folder
     FROM workflow_executions
     WHERE origin = 'own' AND status <> 'running' AND end_time < ?
       AND seq NOT IN (SELECT seq FROM workflow_executions WHERE origin = 'own' ORDER BY seq DESC LIMIT ?)
       AND ${isLeftForNobody}
       AND execution_id NOT IN (
         SELECT ${nameOf('execution_no')} FROM message_rows INDEXED BY message_rows_outbox WHERE ${indexPredicates.unsent} AND execution_no IS NOT NULL)
     ORDER BY seq`,
  )
    .all(endedBefore ?? '9999', keep)
    .filter(({ execution_id, end_time }) => {
      const owner = ownerOf(sql, execution_id);
      const isOver = owner === undefined || !isProcessAlive(owner, isAlive);
      return isOver || Date.parse(end_time ?? '') < Date.now() - lastMessagesMilliseconds;
    });
}

/**
 * How long after its last message an observed execution may still be running, in milliseconds.
 */
const mayGoOn = 24 * 3_600_000;

/**
 * No message shows whether an observed execution is still running, so the time of its last message decides.
 */
const removableObserved = (sql: Prepare, keep: number, heardBefore = '9999') =>
  sql<Removable>(
    `SELECT execution_id, status, ${isoTime('last_ms')} AS end_time, NULL AS data_folder FROM workflow_executions JOIN observed_runs USING (execution_id)
     WHERE ${isLeftForNobody} AND ${isoTime('last_ms')} < ? AND seq NOT IN (SELECT seq FROM workflow_executions WHERE origin = 'observed' ORDER BY seq DESC LIMIT ?)
       AND (status NOT IN ('running', 'unknown') OR last_ms < ?)
     ORDER BY seq`,
  ).all(heardBefore, keep, Date.now() - mayGoOn);

/** Number of executions that have not ended, with or without a driver. */
export const runningCount = (sql: Prepare) =>
  sql<number>(`SELECT count(*) FROM workflow_executions WHERE status = 'running' AND origin = 'own'`).value() ?? 0;

export const oldestStart = (sql: Prepare) =>
  sql<string | null>('SELECT min(start_time) FROM workflow_executions').value() ?? undefined;

/** Number of rows to remove from one table per transaction: a small number, so that other writers need not wait. */
export const batch = 600;

/**
 * Tables that contain rows of an execution, with their key columns. Rows of attempts are removed with their
 * slices.
 */
const ofExecution = {
  tf_slices: 'seq',
  fastmon_files: 'seq',
  stf_files: 'seq',
  message_rows: 'seq',
  app_logs: 'log_id',
} as const;

/**
 * Removes an execution with everything recorded about it. Readers stop seeing it immediately. If the removal is
 * interrupted, the next one completes it. `by` is the user who removes it. `removeFolder` removes the
 * execution's data files, and may be called more than once.
 */
export async function removeExecution(
  store: Store,
  { execution_id, data_folder }: Removal,
  by: string,
  removeFolder: (folder: string, executionId: string) => Promise<void>,
) {
  await store.write((tx) => beginRemoval(tx, { execution_id, data_folder }, by));
  for (const [table, key] of Object.entries(ofExecution))
    while ((await store.write((tx) => removeSome(tx, { table, key }, execution_id))) === batch);
  while ((await store.write((tx) => removeSubjects(tx, execution_id))) === batch);
  if (data_folder !== null) await removeFolder(data_folder, execution_id);
  await store.write(({ sql }) =>
    sql('UPDATE removals SET removed_at = ? WHERE execution_id = ?').run(utcNow(), execution_id),
  );
}

/** Tables with few rows per execution. */
const small = wordsOf(`
  workflow_executions run_states runs stage_delays execution_owners past_leases cursors standstills late_messages returned_slices moved_files
  observed_runs observed_samples observed_keys stf_sites handed_over notes run_quality alarms alarm_candidates
`);

function beginRemoval({ sql }: Transaction, { execution_id, data_folder }: Removal, by: string) {
  const begin = 'INSERT INTO removals (execution_id, data_folder, removed_by) VALUES (?, ?, ?) ON CONFLICT DO NOTHING';
  sql(begin).run(execution_id, data_folder, by);
  sql(
    `DELETE FROM monitor_objects WHERE seq IN (
       SELECT m.seq FROM observed_runs AS o JOIN monitor_objects AS m ON m.run_id = o.run_id WHERE o.execution_id = $execution_id AND o.run_id <> ''
         AND NOT EXISTS (SELECT 1 FROM observed_runs AS other WHERE other.run_id = o.run_id AND other.execution_id <> o.execution_id)
       UNION ALL
       SELECT m.seq FROM observed_runs AS o JOIN monitor_objects AS m ON m.kind = 'workflow-executions' AND m.name = o.told_id WHERE o.execution_id = $execution_id
         AND NOT EXISTS (SELECT 1 FROM observed_runs AS other WHERE other.told_id = o.told_id AND other.execution_id <> o.execution_id))`,
  ).run({ execution_id });
  for (const table of small) sql(`DELETE FROM ${table} WHERE execution_id = ?`).run(execution_id);
  sql(`DELETE FROM system_agents WHERE current_execution_id = ? AND state = 'EXITED'`).run(execution_id);
}

/**
 * Removes the records of other programs that were last heard from before a given time, and of the periods in
 * which an observer listened to them.
 * @param heardBefore ISO 8601
 */
export async function forgetPrograms(store: Store, heardBefore: string) {
  await store.write(({ sql }) => {
    forgetRequests({ sql }, Date.parse(heardBefore));
    sql(
      `DELETE FROM monitor_objects WHERE kind IN ('systemagents', 'subscribers') AND coalesce(document ->> '$.last_heartbeat', document ->> '$.created_at') < ?`,
    ).run(heardBefore);
    const gone = `SELECT process_id FROM system_agents WHERE heard_on IS NOT NULL AND last_heartbeat < ?`;
    const processes = sql<number>(gone).values(heardBefore);
    sql('DELETE FROM system_agents WHERE heard_on IS NOT NULL AND last_heartbeat < ?').run(heardBefore);
    sql(
      `DELETE FROM processes WHERE process_id IN (SELECT value FROM json_each(?)) AND ${indexPredicates.remoteProcess} AND hostname = ''`,
    ).run(JSON.stringify(processes));
    sql('DELETE FROM hearings WHERE until_ms < ?').run(Date.parse(heardBefore));
    sql('DELETE FROM gaps WHERE until_ms < ?').run(Date.parse(heardBefore));
  });
}

/** Removes agent states from before the first remaining execution, since these states are no longer useful. */
export async function forgetEarlierAgents(store: Store) {
  const first = oldestStart(store.sql);
  await store.write(({ sql }) => sql('DELETE FROM past_agents WHERE until < ?').run(first ?? utcNow()));
}

/** Removes the words of removed rows in whole parts: a part is dropped once none of its rows is left. */
export async function removeWords(store: Store) {
  for (const searched of searchedTables)
    for (const part of emptyParts(store.sql, searched, lastNoted(store.sql, searched.table)))
      await store.write((tx) => dropPart(tx, searched, part));
}

interface Keyed {
  table: string;
  key: string;
}

function removeSome(tx: Transaction, { table, key }: Keyed, executionId: string) {
  const { sql } = tx;
  const keys = sql<number>(
    `SELECT ${key} FROM ${table} WHERE ${table === 'message_rows' ? `execution_no = ${numberOf('?')}` : 'execution_id = ?'} ORDER BY ${key} LIMIT ${batch}`,
  ).values(executionId);
  if (table === 'tf_slices') {
    for (const attempts of ['earlier_attempts', 'followed_starts', 'payload_results'])
      sql(
        `DELETE FROM ${attempts} WHERE execution_id = ? AND slice_filename IN (
           SELECT slice_filename FROM tf_slices WHERE seq IN (SELECT value FROM json_each(?)))`,
      ).run(executionId, JSON.stringify(keys));
  }
  removeRows(tx, { table, key }, keys);
  return keys.length;
}

/** Removes some of the subjects recorded for an execution's messages. Returns the number of removed rows. */
const removeSubjects = ({ sql }: Transaction, executionId: string) =>
  sql(
    `DELETE FROM message_subjects WHERE execution_id = $id AND (subject, key, seq) IN (
       SELECT subject, key, seq FROM message_subjects WHERE execution_id = $id LIMIT ${batch})`,
  ).run({ id: executionId }).changes;

/** Removes rows, and subtracts them from the counts in block notes. */
export function removeRows(tx: Transaction, { table, key }: Keyed, keys: readonly number[]) {
  notePruning(tx);
  forgetCounts(tx, table, keys);
  tx.sql(`DELETE FROM ${table} WHERE ${key} IN (SELECT value FROM json_each(?))`).run(JSON.stringify(keys));
}

/** Tells readers, which cache the words of the newest rows, to read these rows again. */
function notePruning({ sql }: Transaction) {
  sql(
    `INSERT INTO store_meta (key, value) VALUES ('prunes', '1') ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1`,
  ).run();
}
