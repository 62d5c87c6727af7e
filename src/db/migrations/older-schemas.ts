import { milliseconds } from './message-columns.ts';

interface SchemaChange {
  version: number;
  /**
   * A table, and the SQL that derives its rows, in the form of this version, from the tables of an earlier
   * version (`main`).
   */
  table?: string;
  select?: string;
  /** The version that created the earlier tables; by default, the oldest version that an upgrade reads. */
  since?: number;
}

/**
 * The changes that each version makes to the tables that an upgrade copies, which are all tables except those
 * derived from the log. A column that the older store lacks gets its default, and a column that only the older
 * store has is left out, so a version needs a `select` only if that is not enough. Each version after 38 has an
 * entry.
 */
export const schemaChanges: readonly SchemaChange[] = [
  {
    version: 19,
    table: 'processes',
    select: `SELECT process_id, pid, replace(pid_started, ' remote', '') AS pid_started, hostname, version, registered_at, last_beat, ended, logged_n,
      pid_started LIKE '% remote' AS is_remote FROM main.processes`,
  },
  // Earlier versions did not record messages from other programs.
  { version: 20, table: 'message_rows', select: 'SELECT *, NULL AS headers FROM main.message_rows' },
  {
    version: 30,
    table: 'past_leases',
    // A driver records its start in the transaction that makes it the driver.
    select: `SELECT execution_id, epoch, process_id, taken_at, coalesce((
      SELECT seq - 1 FROM main.message_rows WHERE message_id = execution_id || '/driver_started/' || epoch), 0) AS after_seq FROM main.execution_owners`,
  },
  {
    version: 30,
    table: 'app_logs',
    select: `SELECT lines.*, after_seq FROM main.app_logs AS lines JOIN (
      SELECT log_id, coalesce(max(seq) OVER (ORDER BY at, log_id IS NOT NULL, log_id), 0) AS after_seq FROM (
        SELECT recorded_ms AS at, seq, NULL AS log_id FROM main.message_rows
        UNION ALL SELECT ${milliseconds('timestamp')}, NULL, log_id FROM main.app_logs)) USING (log_id)`,
  },
  {
    version: 33,
    table: 'past_agents',
    select: 'SELECT *, heard_on IS NOT NULL AS is_heard FROM main.past_agents',
    since: 30,
  },
  {
    version: 38,
    table: 'standstills',
    select: `SELECT incident_id AS standstill_id, execution_id, since, until FROM main.incidents WHERE kind = 'standstill' AND until IS NOT NULL`,
    since: 21,
  },
  { version: 39 },
  { version: 40 },
  { version: 41 },
  { version: 42 },
];

/**
 * As SQL: views that hide tables of a store, so that the store can be read as if it had the newest schema.
 * @param version the version of the store's schema
 */
export const viewsFor = (version: number) =>
  schemaChanges
    .filter((change) => change.version > version && (change.since ?? 0) <= version)
    .map(({ table, select }) => (select === undefined ? '' : `CREATE TEMP VIEW ${table} AS ${select};`))
    .join('\n');
