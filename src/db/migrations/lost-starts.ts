import { indexPredicates } from './index-predicates.ts';

export const lostStartTables = `-- Starts of attempts that were started again while the same driver continued.
CREATE TABLE followed_starts (
  slice_filename TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  -- The number of this start of the attempt, from 1.
  start INTEGER NOT NULL,
  execution_id TEXT NOT NULL,
  worker_id TEXT,
  hostname TEXT,
  queued_at TEXT NOT NULL,
  started_at TEXT,
  -- When the attempt was started again.
  followed_at TEXT NOT NULL,
  PRIMARY KEY (slice_filename, execution_id, attempt, start)
) STRICT, WITHOUT ROWID;
CREATE INDEX followed_starts_execution ON followed_starts (execution_id, followed_at);

-- Those of them whose worker vanished: it has not been heard since, or is another process now.
CREATE VIEW lost_starts AS SELECT f.* FROM followed_starts AS f
JOIN system_agents AS a ON a.agent_name = substr(worker_id, 1, instr(worker_id, '/') - 1) AND a.${indexPredicates.ownAgent}
JOIN processes AS p USING (process_id)
WHERE a.last_heartbeat <= followed_at OR p.registered_at > started_at;
`;

/**
 * As SQL: how many starts in an execution were lost with their workers.
 * @param of the name of the table whose row names the execution
 */
export const lostStartsOf = (of: string) =>
  `(SELECT count(*) FROM lost_starts AS l WHERE l.execution_id = ${of}.execution_id)`;

/**
 * As SQL: how many starts of a slice were lost with their workers.
 * @param of the alias of `tf_slices` in the query
 */
export const sliceLostStarts = (of: string) =>
  `iif(${of}.followed_starts > 0, (SELECT count(*) FROM lost_starts AS l WHERE l.slice_filename = ${of}.slice_filename AND l.execution_id = ${of}.execution_id), 0)`;

/** As SQL: the columns of the current attempt at a slice, for a row of `tf_slices`. */
export const currentAttempt = `slice_filename, attempt, execution_id, status AS state, coalesce(assigned_worker, left_by) AS worker_id, hostname, starts,
  coalesce(queued_again_at, created_at) AS queued_at, iif(starts > 0, coalesce(assigned_at, left_from), NULL) AS started_at, completed_at,
  processing_seconds, iif(status = 'failed', error, NULL) AS error, job`;
