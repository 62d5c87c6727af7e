import { preparer, type Prepare } from './statements.ts';
import type { Store } from './store.ts';

/** An execution that may be removed, and its folder of data files where it has one. */
export interface Removable {
  execution_id: string;
  run_number: number;
  status: string;
  end_time: string | null;
  data_folder: string | null;
}

export interface RemovalRule {
  /** The newest executions that stay, whatever their age. */
  keep?: number | undefined;
  /** Only those that have ended before. */
  endedBefore?: string | undefined;
}

/** Ended executions that a rule gives up, oldest first. Running ones stay, driven or not. */
export function removableExecutions(sql: Prepare, { keep = 0, endedBefore }: RemovalRule): Removable[] {
  return sql<[string, number], Removable>(
    `SELECT execution_id, run_number, status, end_time,
       CASE WHEN params ->> '$.data.write_files' AND params ->> '$.data.dir' IS NOT NULL
         THEN (params ->> '$.data.dir') || '/' || execution_id END AS data_folder
     FROM workflow_executions
     WHERE status <> 'running' AND end_time < ?
       AND seq NOT IN (SELECT seq FROM workflow_executions ORDER BY seq DESC LIMIT ?)
     ORDER BY seq`,
  ).all(endedBefore ?? '9999', keep);
}

/** Removals that were interrupted: to be finished first. */
export function openRemovals(sql: Prepare): Pick<Removable, 'execution_id' | 'data_folder'>[] {
  return sql<[], Pick<Removable, 'execution_id' | 'data_folder'>>(
    'SELECT execution_id, data_folder FROM removals',
  ).all();
}

/** Rows of one table that are removed in one transaction: others write meanwhile, and must not wait. */
const batch = 500;

/** Tables that hold rows of an execution, and how they are found. Those of attempts go with their slices. */
const ofExecution = ['tf_slices', 'fastmon_files', 'stf_files', 'workflow_messages', 'app_logs'] as const;

/**
 * Removes an execution with everything that is recorded of it. It is gone for readers at once; an interruption leaves the rest
 * for the next removal. `removeFolder` removes its data files, and may be called again.
 */
export async function removeExecution(
  store: Store,
  { execution_id, data_folder }: Pick<Removable, 'execution_id' | 'data_folder'>,
  removeFolder: (folder: string) => Promise<void>,
): Promise<void> {
  const sql = preparer(store.db);
  await store.write(() => {
    sql('INSERT INTO removals (execution_id, data_folder) VALUES (?, ?) ON CONFLICT DO NOTHING').run(
      execution_id,
      data_folder,
    );
    sql('DELETE FROM stage_delays WHERE run_number = (SELECT run_number FROM runs WHERE execution_id = ?)').run(
      execution_id,
    );
    for (const table of ['workflow_executions', 'run_states', 'runs', 'execution_owners', 'cursors'])
      sql(`DELETE FROM ${table} WHERE execution_id = ?`).run(execution_id);
    sql(`DELETE FROM system_agents WHERE current_execution_id = ? AND state = 'EXITED'`).run(execution_id);
  });
  for (const table of ofExecution) {
    while ((await store.write(() => removeSome(sql, table, execution_id))) === batch);
  }
  if (data_folder !== null) await removeFolder(data_folder);
  await store.write(() => {
    sql('DELETE FROM removals WHERE execution_id = ?').run(execution_id);
  });
}

/**
 * Removes messages and log lines that belong to no execution and are older than what is kept. Returns how many.
 * @param before a time of theirs
 */
export async function removeStrays(store: Store, before: string): Promise<number> {
  const sql = preparer(store.db);
  let removed = 0;
  for (const [table, key, at] of [
    ['workflow_messages', 'seq', 'recorded_at'],
    ['app_logs', 'log_id', 'timestamp'],
  ]) {
    const some = sql<[string]>(
      `DELETE FROM ${table} WHERE ${key} IN (
         SELECT ${key} FROM ${table} WHERE execution_id IS NULL AND ${at} < ? ORDER BY ${key} LIMIT ${batch})`,
    );
    for (let changes = batch; changes === batch; removed += changes)
      changes = await store.write(() => some.run(before).changes);
  }
  return removed;
}

/** When the oldest execution that is there began; undefined where there is none. */
export function oldestStart(sql: Prepare): string | undefined {
  return sql<[], { start_time: string }>('SELECT start_time FROM workflow_executions ORDER BY seq LIMIT 1').get()
    ?.start_time;
}

function removeSome(sql: Prepare, table: (typeof ofExecution)[number], executionId: string): number {
  const key = table === 'app_logs' ? 'log_id' : 'seq';
  const some = `SELECT ${key} FROM ${table} WHERE execution_id = ? ORDER BY ${key} LIMIT ${batch}`;
  if (table === 'tf_slices') {
    for (const attempts of ['slice_attempts', 'payload_results'])
      sql(
        `DELETE FROM ${attempts} WHERE slice_filename IN (SELECT slice_filename FROM tf_slices WHERE seq IN (${some}))`,
      ).run(executionId);
  }
  return sql(`DELETE FROM ${table} WHERE ${key} IN (${some})`).run(executionId).changes;
}
