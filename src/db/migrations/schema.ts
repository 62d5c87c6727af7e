import { documentedViews } from './documented-views.ts';
import { indexPredicates } from './index-predicates.ts';
import { logbookTables, logTables } from './log-tables.ts';
import { currentAttempt, lostStartTables } from './lost-starts.ts';
import { noteTables } from './note-tables.ts';
import { observedTables } from './observed-tables.ts';
import { pastTables } from './past-tables.ts';
import { processTables } from './process-tables.ts';

/** The whole schema of a new store. `docs/store.md` explains the tables, `test/golden/schema.sql` shows the result. */
export const schema = `
${logTables}CREATE TABLE workflow_executions (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  execution_id TEXT NOT NULL UNIQUE,
  -- Whether swf-mcp ran it, or observed it.
  origin TEXT NOT NULL DEFAULT 'own' CHECK (origin IN ('own', 'observed')),
  -- NULL if neither the id nor a message shows it.
  workflow_name TEXT,
  -- Empty if unknown.
  namespace TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('running', 'completed', 'failed', 'terminated', 'unknown')),
  status_reason TEXT,
  executed_by TEXT,
  run_number INTEGER,
  -- The execution's parameters as recorded at its start (JSON).
  params TEXT NOT NULL,
  -- Whether its messages go over a broker, so that agents in other processes work on it.
  over_broker INTEGER NOT NULL DEFAULT 0,
  start_time TEXT NOT NULL,
  end_time TEXT
) STRICT;
CREATE INDEX workflow_executions_status ON workflow_executions (status, seq);
-- Run numbers are unique among own runs; runs of other programs may share them.
CREATE UNIQUE INDEX workflow_executions_own_run ON workflow_executions (run_number) WHERE origin = 'own';
CREATE INDEX workflow_executions_run ON workflow_executions (run_number, seq);

CREATE TABLE runs (
  execution_id TEXT PRIMARY KEY,
  start_time TEXT,
  end_time TEXT,
  total_stf_files INTEGER,
  dataset_name TEXT,
  dataset_state TEXT CHECK (dataset_state IN ('open', 'final')),
  dataset_files INTEGER NOT NULL DEFAULT 0,
  dataset_bytes INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Phase and counts of a run. The counts are kept by the projection, so the monitor need not count rows.
CREATE TABLE run_states (
  execution_id TEXT PRIMARY KEY,
  phase TEXT NOT NULL DEFAULT 'none' CHECK (phase IN ('none', 'imminent', 'physics', 'standby', 'completed')),
  phase_changed_at TEXT,
  stfs_announced INTEGER NOT NULL DEFAULT 0,
  stfs_ready INTEGER NOT NULL DEFAULT 0,
  samples_expected INTEGER NOT NULL DEFAULT 0,
  tf_files_received INTEGER NOT NULL DEFAULT 0,
  slices_expected INTEGER NOT NULL DEFAULT 0,
  slices_created INTEGER NOT NULL DEFAULT 0,
  slices_queued INTEGER NOT NULL DEFAULT 0,
  slices_processing INTEGER NOT NULL DEFAULT 0,
  slices_completed INTEGER NOT NULL DEFAULT 0,
  slices_failed INTEGER NOT NULL DEFAULT 0,
  -- Those of slices_failed that have no retry left.
  slices_exhausted INTEGER NOT NULL DEFAULT 0,
  -- Attempts after a failure, and the slices that had any.
  slice_retries INTEGER NOT NULL DEFAULT 0,
  slices_retried INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Histogram of the delays of a run's items in each stage: bucket n has those from 1.25^(n-1) to 1.25^n milliseconds. Total and longest in seconds.
CREATE TABLE stage_delays (
  execution_id TEXT NOT NULL,
  stage INTEGER NOT NULL,
  bucket INTEGER NOT NULL,
  items INTEGER NOT NULL,
  total REAL NOT NULL,
  longest REAL NOT NULL,
  -- When the last item of the bucket left the stage.
  latest TEXT NOT NULL,
  PRIMARY KEY (execution_id, stage, bucket)
) STRICT, WITHOUT ROWID;

CREATE TABLE stf_files (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  stf_filename TEXT NOT NULL,
  run_number INTEGER,
  execution_id TEXT NOT NULL,
  -- NULL, here and in the tables below, if no message states it.
  sequence INTEGER,
  -- 'announced' and 'processing' occur only in prompt processing.
  status TEXT NOT NULL CHECK (status IN ('announced', 'registered', 'processing', 'processed', 'failed')),
  checksum TEXT,
  size_bytes INTEGER,
  tf_count INTEGER,
  tf_file_count INTEGER NOT NULL DEFAULT 0,
  slice_count INTEGER NOT NULL DEFAULT 0,
  file_url TEXT,
  created_at TEXT NOT NULL,
  -- In prompt processing: when the data agent registered it.
  registered_at TEXT,
  processed_at TEXT,
  -- For observed executions: milliseconds from created_at to processed_at (prompt processing: to registered_at).
  took_ms INTEGER,
  UNIQUE (stf_filename, execution_id)
) STRICT;
CREATE INDEX stf_files_execution ON stf_files (execution_id, seq);
CREATE INDEX stf_files_took ON stf_files (execution_id, took_ms) WHERE ${indexPredicates.tookTime};
CREATE INDEX stf_files_registered ON stf_files (execution_id, seq) WHERE ${indexPredicates.registeredStf};
CREATE INDEX stf_files_failed ON stf_files (seq) WHERE ${indexPredicates.failedStf};

CREATE TABLE fastmon_files (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  tf_filename TEXT NOT NULL,
  stf_filename TEXT,
  run_number INTEGER,
  execution_id TEXT NOT NULL,
  tf_first INTEGER,
  tf_last INTEGER,
  tf_count INTEGER,
  size_bytes INTEGER,
  slice_count INTEGER NOT NULL DEFAULT 0,
  file_url TEXT,
  created_at TEXT NOT NULL,
  -- For observed executions: milliseconds from its STF file being ready to its announcement.
  waited_ms INTEGER,
  UNIQUE (tf_filename, execution_id)
) STRICT;
CREATE INDEX fastmon_files_waited ON fastmon_files (execution_id, waited_ms) WHERE ${indexPredicates.waitedTime};
CREATE INDEX fastmon_files_stf ON fastmon_files (stf_filename, seq);
CREATE INDEX fastmon_files_execution ON fastmon_files (execution_id, seq);

-- Slices, with the state of their current attempt.
CREATE TABLE tf_slices (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  slice_filename TEXT NOT NULL,
  slice_id INTEGER NOT NULL,
  tf_filename TEXT NOT NULL,
  stf_filename TEXT,
  run_number INTEGER,
  execution_id TEXT NOT NULL,
  tf_first INTEGER,
  tf_last INTEGER,
  tf_count INTEGER,
  status TEXT NOT NULL CHECK (status IN ('queued', 'processing', 'completed', 'failed', 'unanswered')),
  attempt INTEGER NOT NULL,
  assigned_worker TEXT,
  created_at TEXT NOT NULL,
  -- When the current attempt was queued; NULL for the first attempt, which is queued when the slice is created.
  queued_again_at TEXT,
  assigned_at TEXT,
  completed_at TEXT,
  -- The error of the last failed attempt, until one completes.
  error TEXT,
  hostname TEXT,
  processing_seconds REAL,
  -- How often the current attempt was started: more than once if a worker vanished.
  starts INTEGER NOT NULL DEFAULT 0,
  -- The number of its rows in followed_starts, over all attempts.
  followed_starts INTEGER NOT NULL DEFAULT 0,
  -- The worker that had the current attempt when its execution was stopped, and since when.
  left_by TEXT,
  left_from TEXT,
  -- For observed slices: how long it waited for a worker, and how long the worker took. Milliseconds.
  waited_ms INTEGER,
  took_ms INTEGER,
  -- The PanDA task and job of its worker, as task/job, if its result names them.
  job TEXT,
  UNIQUE (slice_filename, execution_id)
) STRICT;
CREATE INDEX tf_slices_execution ON tf_slices (execution_id, seq);
CREATE INDEX tf_slices_stf ON tf_slices (stf_filename, seq);
CREATE INDEX tf_slices_tf ON tf_slices (tf_filename, seq);
-- Slices without a worker are not in this index: so a slice moves once in it, not twice.
CREATE INDEX tf_slices_worker ON tf_slices (assigned_worker, seq) WHERE ${indexPredicates.assignedSlice};
CREATE INDEX tf_slices_open ON tf_slices (execution_id, status, seq) WHERE ${indexPredicates.openSlice};
CREATE INDEX tf_slices_pending ON tf_slices (status, seq) WHERE ${indexPredicates.pendingSlice};
-- Few slices are retried, so this index costs nothing in a normal run.
CREATE INDEX tf_slices_retried ON tf_slices (execution_id, seq) WHERE ${indexPredicates.retriedSlice};
-- Sorted delays of observed slices, so that reading a percentile needs no sort.
CREATE INDEX tf_slices_took ON tf_slices (execution_id, status, took_ms) WHERE ${indexPredicates.tookTime};
CREATE INDEX tf_slices_waited ON tf_slices (execution_id, waited_ms) WHERE ${indexPredicates.waitedTime};
CREATE INDEX tf_slices_failed ON tf_slices (seq) WHERE ${indexPredicates.failedSlice};

-- The final state of each attempt before the current one, for slices that were retried.
CREATE TABLE earlier_attempts (
  slice_filename TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  execution_id TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'processing', 'completed', 'failed', 'unanswered')),
  worker_id TEXT,
  hostname TEXT,
  starts INTEGER NOT NULL,
  queued_at TEXT NOT NULL,
  started_at TEXT,
  completed_at TEXT,
  processing_seconds REAL,
  error TEXT,
  job TEXT,
  PRIMARY KEY (slice_filename, execution_id, attempt)
) STRICT, WITHOUT ROWID;
CREATE INDEX earlier_attempts_execution ON earlier_attempts (execution_id, slice_filename);

${lostStartTables}
-- Every attempt at every slice.
CREATE VIEW slice_attempts AS SELECT ${currentAttempt} FROM tf_slices
UNION ALL SELECT slice_filename, attempt, execution_id, state, worker_id, hostname, starts, queued_at, started_at, completed_at, processing_seconds, error, job
FROM earlier_attempts;

-- Facts about the payload command of each attempt at a slice. The placeholder payload leaves no rows.
CREATE TABLE payload_results (
  slice_filename TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  execution_id TEXT NOT NULL,
  exit_code INTEGER,
  signal TEXT,
  -- The end of a failed command's stdout and stderr.
  output_tail TEXT,
  -- The files that it wrote (JSON: name, size_bytes, checksum), and how many are not listed.
  outputs TEXT,
  outputs_omitted INTEGER,
  PRIMARY KEY (slice_filename, execution_id, attempt)
) STRICT, WITHOUT ROWID;

-- Attempts that a worker gave back, by the kind of work that it cannot do.
CREATE TABLE returned_slices (
  slice_filename TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  execution_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  -- The name of the payload, of the place of the file, or of the file.
  kind TEXT NOT NULL,
  worker_id TEXT NOT NULL,
  hostname TEXT NOT NULL,
  detail TEXT,
  returned_at TEXT NOT NULL,
  PRIMARY KEY (slice_filename, attempt, worker_id, hostname, reason)
) STRICT, WITHOUT ROWID;
CREATE INDEX returned_slices_execution ON returned_slices (execution_id, kind);

${observedTables}${logbookTables}${processTables}${noteTables}${pastTables}-- The documented views, which query_store can read.
${Object.entries(documentedViews)
  .map(([name, select]) => `CREATE VIEW ${name} AS ${select};`)
  .join('\n')}
`;
