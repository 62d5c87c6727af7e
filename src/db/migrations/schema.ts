import { currentAttempt } from './current-attempt.ts';
import { documentedViews } from './documented-views.ts';
import { indexPredicates, rareColumn } from './index-predicates.ts';
import { messageColumns } from './message-columns.ts';
import { numberOf } from './names.ts';

/** Raised with each change of the schema. */
export const schemaVersion = 29;

/** The whole schema of a new store. `docs/store.md` explains the tables, `test/golden/schema.sql` shows the result. */
export const schema = `
-- Facts about this store: its id, when it was made.
CREATE TABLE store_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- The next number of each kind: execution, run, agent.
CREATE TABLE counters (name TEXT PRIMARY KEY, next_value INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- Names that very many messages repeat: types, agents, namespaces, executions, runs. Rows of the log have their numbers.
CREATE TABLE names (name_no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

-- The record: everything that was said, in the order of recording. All tables down to slice_attempts are read from it.
CREATE TABLE message_rows (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  message_id TEXT NOT NULL UNIQUE,
  type_no INTEGER NOT NULL,
  sender_no INTEGER,
  namespace_no INTEGER,
  execution_no INTEGER,
  run_no INTEGER,
  -- Where it went or came from; NULL: where messages of its type usually go.
  destination TEXT,
  -- Milliseconds since 1970.
  sent_ms INTEGER NOT NULL,
  recorded_ms INTEGER NOT NULL,
  -- Simulated seconds, in the digits that were said.
  simulation_tick TEXT,
  effect TEXT NOT NULL CHECK (effect IN ('applied', 'none', 'rejected', 'conflict')),
  -- Why it had none: a code for programs and a sentence for people. NULL where it had one.
  effect_code TEXT,
  effect_reason TEXT,
  -- The message that it waits for: it takes effect when that comes. NULL for all others.
  awaits TEXT,
  wire_message_id TEXT,
  -- 1: the recorder of its namespace has to send the row over the broker. 2: it came over the broker, and is said once more. 0 and 3: the
  -- same, which the broker does not take. NULL: nothing is to be sent.
  goes_out INTEGER,
  outbox_sent_at TEXT,
  -- The fields of the message; the whole text where it says its envelope in an unusual way.
  is_whole INTEGER NOT NULL,
  body TEXT NOT NULL,
  -- Of a message that was heard of other programs: the headers that tell of it (JSON). NULL for our own.
  headers TEXT,
  -- The traits for which the type is a seldom one, in bits; NULL for the frequent types.
  type_traits INTEGER,
  -- The traits for which the row is one of few, in bits; NULL for the many.
  rare INTEGER AS (${rareColumn}) STORED
) STRICT;
CREATE INDEX message_rows_execution ON message_rows (execution_no, seq);
CREATE INDEX message_rows_type ON message_rows (execution_no, type_no, seq);
CREATE INDEX message_rows_run ON message_rows (run_no, seq);
CREATE INDEX message_rows_agent ON message_rows (sender_no, seq);
CREATE INDEX message_rows_outbox ON message_rows (namespace_no, seq) WHERE ${indexPredicates.unsent};
-- The few messages that tell the story of an execution, among the many of its files and slices.
CREATE INDEX message_rows_landmarks ON message_rows (execution_no, seq) WHERE ${indexPredicates.landmark};
CREATE INDEX message_rows_waiting ON message_rows (execution_no, seq) WHERE ${indexPredicates.waitingCommand};
CREATE INDEX message_rows_trouble ON message_rows (execution_no, seq) WHERE ${indexPredicates.troubled};
CREATE INDEX message_rows_awaits ON message_rows (execution_no, awaits, seq) WHERE ${indexPredicates.awaiting};
-- Few messages are of these types or are refused: these indexes cost nothing while all goes well.
CREATE INDEX message_rows_seldom ON message_rows (type_no, seq) WHERE ${indexPredicates.seldom};
CREATE INDEX message_rows_without_effect ON message_rows (effect, seq) WHERE ${indexPredicates.withoutEffect};
CREATE INDEX message_rows_execution_without_effect ON message_rows (execution_no, seq) WHERE ${indexPredicates.withoutEffect};

-- The record as it was said: times as UTC in ISO 8601, destinations, and payloads byte for byte.
CREATE VIEW workflow_messages AS SELECT seq, message_id, sent_ms, recorded_ms, simulation_tick,
  effect, effect_code, effect_reason, awaits, wire_message_id, goes_out, outbox_sent_at, body, is_whole, rare,
  ${Object.entries(messageColumns)
    .map(([name, sql]) => `${sql} AS ${name}`)
    .join(',\n  ')}
FROM message_rows;

-- Messages that took effect late, in that order: consumers may have passed their place in the log.
CREATE TABLE late_messages (
  late_seq INTEGER PRIMARY KEY AUTOINCREMENT,
  execution_id TEXT NOT NULL,
  seq INTEGER NOT NULL
) STRICT;
CREATE INDEX late_messages_execution ON late_messages (execution_id, late_seq);

CREATE TABLE workflow_executions (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  execution_id TEXT NOT NULL UNIQUE,
  -- Whether swf-mcp made it, or heard of it.
  origin TEXT NOT NULL DEFAULT 'own' CHECK (origin IN ('own', 'observed')),
  -- NULL where nobody has told it.
  workflow_name TEXT,
  -- Empty where nobody has told it.
  namespace TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('running', 'completed', 'failed', 'terminated')),
  status_reason TEXT,
  executed_by TEXT,
  run_number INTEGER,
  -- The execution's parameters as recorded at its start (JSON).
  params TEXT NOT NULL,
  -- Whether its messages go over a broker: agents of other processes work on it then.
  over_broker INTEGER NOT NULL DEFAULT 0,
  start_time TEXT NOT NULL,
  end_time TEXT
) STRICT;
CREATE INDEX workflow_executions_status ON workflow_executions (status, seq);
-- A run of our own has a number of its own; those of others may have the same.
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
  -- Of slices_failed, those without a retry left.
  slices_exhausted INTEGER NOT NULL DEFAULT 0,
  -- Attempts after the first, and the slices that had any.
  slice_retries INTEGER NOT NULL DEFAULT 0,
  slices_retried INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- The delays of a run's items in each stage, by size: bucket n holds those from 1.25^(n-1) to 1.25^n milliseconds. Seconds.
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
  -- NULL, here and in the tables below: nobody has told it.
  sequence INTEGER,
  status TEXT NOT NULL CHECK (status IN ('registered', 'processed', 'failed')),
  checksum TEXT,
  size_bytes INTEGER,
  tf_count INTEGER,
  tf_file_count INTEGER NOT NULL DEFAULT 0,
  slice_count INTEGER NOT NULL DEFAULT 0,
  file_url TEXT,
  created_at TEXT NOT NULL,
  processed_at TEXT,
  UNIQUE (stf_filename, execution_id)
) STRICT;
CREATE INDEX stf_files_execution ON stf_files (execution_id, seq);
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
  -- Of an observed execution: how long after its STF file was ready it was announced. Milliseconds.
  waited_ms INTEGER,
  UNIQUE (tf_filename, execution_id)
) STRICT;
CREATE INDEX fastmon_files_waited ON fastmon_files (execution_id, waited_ms) WHERE ${indexPredicates.waitedTime};
CREATE INDEX fastmon_files_stf ON fastmon_files (stf_filename, seq);
CREATE INDEX fastmon_files_execution ON fastmon_files (execution_id, seq);

-- A slice as it stands: the state of its current attempt.
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
  status TEXT NOT NULL CHECK (status IN ('queued', 'processing', 'completed', 'failed')),
  attempt INTEGER NOT NULL,
  assigned_worker TEXT,
  created_at TEXT NOT NULL,
  -- When the current attempt was queued; NULL for the first one, which is as old as the slice.
  queued_again_at TEXT,
  assigned_at TEXT,
  completed_at TEXT,
  -- Of the last attempt that failed, until one is completed.
  error TEXT,
  hostname TEXT,
  processing_seconds REAL,
  -- How often a worker began the current attempt: more than once where a worker vanished.
  starts INTEGER NOT NULL DEFAULT 0,
  -- The worker that had the current attempt when its execution was stopped, and since when.
  left_by TEXT,
  left_from TEXT,
  -- Of an observed slice: how long it waited for its worker, and how long that had it. Milliseconds.
  waited_ms INTEGER,
  took_ms INTEGER,
  UNIQUE (slice_filename, execution_id)
) STRICT;
CREATE INDEX tf_slices_execution ON tf_slices (execution_id, seq);
CREATE INDEX tf_slices_stf ON tf_slices (stf_filename, seq);
CREATE INDEX tf_slices_tf ON tf_slices (tf_filename, seq);
-- A slice without a worker needs no place among those of the workers: so a slice is moved once and not twice.
CREATE INDEX tf_slices_worker ON tf_slices (assigned_worker, seq) WHERE ${indexPredicates.assignedSlice};
CREATE INDEX tf_slices_open ON tf_slices (execution_id, status, seq) WHERE ${indexPredicates.openSlice};
CREATE INDEX tf_slices_pending ON tf_slices (status, seq) WHERE ${indexPredicates.pendingSlice};
-- Few slices are tried again: these indexes cost nothing while all goes well.
CREATE INDEX tf_slices_retried ON tf_slices (execution_id, seq) WHERE ${indexPredicates.retriedSlice};
-- Delays of observed slices in their order, so that a percentile is read and not sorted for.
CREATE INDEX tf_slices_took ON tf_slices (execution_id, status, took_ms) WHERE ${indexPredicates.tookTime};
CREATE INDEX tf_slices_waited ON tf_slices (execution_id, waited_ms) WHERE ${indexPredicates.waitedTime};
CREATE INDEX tf_slices_failed ON tf_slices (seq) WHERE ${indexPredicates.failedSlice};

-- The attempts before the current one of slices that were tried again, for good.
CREATE TABLE earlier_attempts (
  slice_filename TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  execution_id TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'processing', 'completed', 'failed')),
  worker_id TEXT,
  hostname TEXT,
  starts INTEGER NOT NULL,
  queued_at TEXT NOT NULL,
  started_at TEXT,
  completed_at TEXT,
  processing_seconds REAL,
  error TEXT,
  PRIMARY KEY (slice_filename, execution_id, attempt)
) STRICT, WITHOUT ROWID;
CREATE INDEX earlier_attempts_execution ON earlier_attempts (execution_id, slice_filename);

-- Every attempt at every slice.
CREATE VIEW slice_attempts AS SELECT ${currentAttempt} FROM tf_slices
UNION ALL SELECT slice_filename, attempt, execution_id, state, worker_id, hostname, starts, queued_at, started_at, completed_at, processing_seconds, error
FROM earlier_attempts;

-- Facts about a payload command, an attempt at a slice. The placeholder leaves no rows.
CREATE TABLE payload_results (
  slice_filename TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  execution_id TEXT NOT NULL,
  exit_code INTEGER,
  signal TEXT,
  -- The end of the stdout and stderr of a failed command.
  output_tail TEXT,
  -- The files that it wrote (JSON: name, size_bytes, checksum), and how many more there are.
  outputs TEXT,
  outputs_omitted INTEGER,
  PRIMARY KEY (slice_filename, execution_id, attempt)
) STRICT, WITHOUT ROWID;

-- Attempts that a worker could not do and gave back, by the kind of work that it cannot do.
CREATE TABLE returned_slices (
  slice_filename TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  execution_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  -- The payload, the place of the file, or the file.
  kind TEXT NOT NULL,
  worker_id TEXT NOT NULL,
  hostname TEXT NOT NULL,
  detail TEXT,
  returned_at TEXT NOT NULL,
  PRIMARY KEY (slice_filename, attempt, worker_id, hostname, reason)
) STRICT, WITHOUT ROWID;
CREATE INDEX returned_slices_execution ON returned_slices (execution_id, kind);

-- Observed executions, with what their counts and times follow from. Milliseconds since 1970.
CREATE TABLE observed_runs (
  execution_id TEXT PRIMARY KEY,
  -- As it was told: two runs may tell the same.
  told_id TEXT NOT NULL,
  namespace TEXT NOT NULL,
  -- Empty while no run is known.
  run_id TEXT NOT NULL,
  -- The dialects that were heard, a letter each.
  dialects TEXT NOT NULL DEFAULT '',
  first_ms INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  -- Slices whose message names no execution.
  without_execution INTEGER NOT NULL DEFAULT 0,
  -- Results of an attempt after its first, and results that no slice which was heard fits.
  results_repeated INTEGER NOT NULL DEFAULT 0,
  results_unmatched INTEGER NOT NULL DEFAULT 0,
  -- When its runner says that it started, as it was registered by REST; empty where it was not.
  told_start TEXT NOT NULL DEFAULT '',
  -- The status that was told last by REST, by whom, and when its end was told first. Milliseconds since 1970.
  told_status TEXT CHECK (told_status IN ('running', 'completed', 'failed', 'terminated')),
  told_by TEXT,
  told_ms INTEGER,
  told_end_ms INTEGER,
  -- Slices that were registered by REST, and those of them of which no message was heard.
  slices_told INTEGER NOT NULL DEFAULT 0,
  slices_unsent INTEGER NOT NULL DEFAULT 0,
  -- Slices whose message was not heard, and that have a result by REST.
  slices_unheard INTEGER NOT NULL DEFAULT 0,
  -- When their monitor was last asked for everything that it had of the run. Milliseconds since 1970.
  read_ms INTEGER,
  UNIQUE (namespace, run_id, told_id, told_start)
) STRICT, WITHOUT ROWID;
CREATE INDEX observed_runs_run ON observed_runs (run_id);
CREATE INDEX observed_runs_told ON observed_runs (told_id);

-- Which message of those that say the same of a file stands. kind: stf_gen, stf_ready, tf_file_registered.
CREATE TABLE observed_files (
  execution_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (execution_id, kind, name)
) STRICT, WITHOUT ROWID;

-- Every attempt at a slice of an observed execution, by what its sender calls it: from these the rows of tf_slices follow.
CREATE TABLE observed_attempts (
  attempt_key INTEGER PRIMARY KEY,
  execution_id TEXT NOT NULL,
  slice_filename TEXT NOT NULL,
  -- The sender's id of the attempt, its id of the slice, and when it says that it made the message; NULL where it does not.
  req_id TEXT,
  tf_slice_id TEXT,
  requested_at TEXT,
  -- The message that stands for the slice, and the one that stands for its result.
  slice_seq INTEGER NOT NULL,
  result_seq INTEGER,
  -- The job that did it.
  panda_task_id TEXT,
  panda_id TEXT
) STRICT;
CREATE INDEX observed_attempts_slice ON observed_attempts (slice_filename, execution_id);
CREATE INDEX observed_attempts_request ON observed_attempts (req_id, execution_id) WHERE req_id IS NOT NULL;
CREATE INDEX observed_attempts_time ON observed_attempts (requested_at, execution_id) WHERE requested_at IS NOT NULL;
CREATE INDEX observed_attempts_id ON observed_attempts (tf_slice_id, execution_id) WHERE tf_slice_id IS NOT NULL;
CREATE INDEX observed_attempts_execution ON observed_attempts (execution_id, attempt_key);

-- The TF files that slices name: how many, their largest one, and when the first was made, as its sender says.
CREATE TABLE observed_samples (
  execution_id TEXT NOT NULL,
  tf_filename TEXT NOT NULL,
  slices INTEGER NOT NULL,
  largest INTEGER,
  first_at TEXT NOT NULL,
  PRIMARY KEY (execution_id, tf_filename)
) STRICT, WITHOUT ROWID;

-- How many messages of a sender, type and state fill a key; key '' counts the messages.
CREATE TABLE observed_keys (
  execution_id TEXT NOT NULL,
  sender TEXT NOT NULL,
  message_type TEXT NOT NULL,
  state TEXT NOT NULL,
  key TEXT NOT NULL,
  filled INTEGER NOT NULL,
  PRIMARY KEY (execution_id, sender, message_type, state, key)
) STRICT, WITHOUT ROWID;

-- Results that fit no slice which was heard so far, by the key that they name.
CREATE TABLE unmatched_results (
  seq INTEGER PRIMARY KEY,
  execution_id TEXT NOT NULL,
  result_key TEXT NOT NULL,
  -- The slice that it names, where REST has told the result too.
  slice_filename TEXT
) STRICT;
CREATE INDEX unmatched_results_key ON unmatched_results (execution_id, result_key);
CREATE INDEX unmatched_results_slice ON unmatched_results (execution_id, slice_filename) WHERE slice_filename IS NOT NULL;

-- What programs of the testbed registered with "swf-mcp observe --api", which stands in for their monitor, as it answers them.
CREATE TABLE monitor_objects (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  -- The resource: stf-files, tf-slices, …
  kind TEXT NOT NULL,
  object_id TEXT NOT NULL,
  -- Its natural key within the resource.
  name TEXT NOT NULL,
  run_id TEXT,
  -- The number of a slice; and the file that an object is looked for by.
  number INTEGER,
  parent TEXT,
  document TEXT NOT NULL,
  UNIQUE (kind, object_id)
) STRICT;
CREATE INDEX monitor_objects_name ON monitor_objects (kind, name);
CREATE INDEX monitor_objects_run ON monitor_objects (kind, run_id, number);
CREATE INDEX monitor_objects_parent ON monitor_objects (kind, parent, number);

-- Slices that were registered by REST.
CREATE TABLE told_slices (
  execution_id TEXT NOT NULL,
  slice_filename TEXT NOT NULL,
  -- The row of its registration.
  seq INTEGER NOT NULL,
  PRIMARY KEY (execution_id, slice_filename)
) STRICT, WITHOUT ROWID;

-- Messages that say what another one says already, or contradict it: that one stands.
CREATE TABLE repeated_messages (
  seq INTEGER PRIMARY KEY,
  stands_seq INTEGER NOT NULL,
  contradicts INTEGER NOT NULL
) STRICT;
CREATE INDEX repeated_messages_stands ON repeated_messages (stands_seq);

-- The tables from here on are not read from the log: processes, cursors, agents, log lines.

-- Times in which an observer listened, or which a recording is of. Milliseconds since 1970.
CREATE TABLE hearings (
  -- A namespace; empty: all of them.
  namespace TEXT NOT NULL,
  since_ms INTEGER NOT NULL,
  -- The last moment at which something would have been heard.
  until_ms INTEGER NOT NULL,
  -- The observer; NULL for a recording, and for one that has ended in order.
  process_id INTEGER REFERENCES processes (process_id),
  -- 1: the observer sends requests to programs of the namespace.
  may_send INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (namespace, since_ms)
) STRICT, WITHOUT ROWID;

-- Requests to programs of another testbed, which its observer sends.
CREATE TABLE testbed_requests (
  request_id INTEGER PRIMARY KEY AUTOINCREMENT,
  asked_ms INTEGER NOT NULL,
  asked_by TEXT NOT NULL,
  namespace TEXT NOT NULL,
  body TEXT NOT NULL,
  -- Written before it is sent: it is sent once.
  sent_ms INTEGER
) STRICT;

-- Times in which nothing could be heard.
CREATE TABLE gaps (
  from_ms INTEGER NOT NULL,
  until_ms INTEGER NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (from_ms, until_ms, reason)
) STRICT, WITHOUT ROWID;

-- Processes that have written here. A driver is gone when its process is gone.
CREATE TABLE processes (
  process_id INTEGER PRIMARY KEY AUTOINCREMENT,
  pid INTEGER NOT NULL,
  -- Tells a process from a later one with the same pid; empty where the system does not say. Of a remote one when it began, as it says.
  pid_started TEXT NOT NULL,
  hostname TEXT NOT NULL,
  -- Of swf-mcp: while it lives, no newer one changes the schema.
  version TEXT NOT NULL,
  registered_at TEXT NOT NULL,
  last_beat TEXT NOT NULL,
  -- How it has ended, as far as anybody has noted it.
  ended TEXT CHECK (ended IN ('order', 'fault', 'lost')),
  -- The last log line that came from it, where it is a remote one.
  logged_n INTEGER NOT NULL DEFAULT 0,
  -- 1 for a process without a store, which reaches the recorder through the broker alone.
  is_remote INTEGER NOT NULL DEFAULT 0,
  -- How far the times that it tells are ahead of the wall clock there, which may have been set back since it began. Milliseconds.
  ahead_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
-- A remote process is known by what it says of itself.
CREATE UNIQUE INDEX processes_remote ON processes (hostname, pid, pid_started) WHERE ${indexPredicates.remoteProcess};

-- The driver of an execution. Every write of a driver checks its epoch in the same transaction.
CREATE TABLE execution_owners (
  execution_id TEXT PRIMARY KEY,
  process_id INTEGER NOT NULL REFERENCES processes (process_id),
  epoch INTEGER NOT NULL,
  taken_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The process that records a namespace over a broker.
CREATE TABLE recorders (
  namespace TEXT PRIMARY KEY,
  process_id INTEGER NOT NULL REFERENCES processes (process_id),
  -- Since when it has no connection to its broker.
  broker_away_since TEXT
) STRICT, WITHOUT ROWID;

-- Namespaces on a broker (its address, and the topics that were listened to) in which no program of another make was heard, as those listened that were about to use them.
CREATE TABLE known_namespaces (
  namespace TEXT NOT NULL,
  broker TEXT NOT NULL,
  listened_at TEXT NOT NULL,
  PRIMARY KEY (namespace, broker)
) STRICT, WITHOUT ROWID;

-- Requests that a recorder took and that a broker without ids of messages may deliver again.
CREATE TABLE requests_in_hand (
  namespace TEXT NOT NULL,
  request_id TEXT NOT NULL,
  -- Milliseconds since 1970.
  taken_ms INTEGER NOT NULL,
  PRIMARY KEY (namespace, request_id)
) STRICT, WITHOUT ROWID;

-- How far each role has read the log of an execution.
CREATE TABLE cursors (
  execution_id TEXT NOT NULL,
  role TEXT NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (execution_id, role)
) STRICT, WITHOUT ROWID;

-- Where a TF file is that was made again on another host. The log keeps what was said first.
CREATE TABLE moved_files (
  tf_filename TEXT PRIMARY KEY,
  execution_id TEXT NOT NULL,
  file_url TEXT NOT NULL,
  moved_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE system_agents (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  agent_name TEXT NOT NULL UNIQUE,
  agent_type TEXT NOT NULL,
  namespace TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('STARTING', 'READY', 'PROCESSING', 'EXITED')),
  last_heartbeat TEXT NOT NULL,
  process_id INTEGER NOT NULL REFERENCES processes (process_id),
  current_execution_id TEXT,
  -- What a remote agent says of itself: its slots, those without work, kinds of work that it cannot do (JSON), and how far its clock is ahead, in
  -- seconds.
  slots INTEGER,
  free_slots INTEGER,
  off_duty TEXT,
  clock_offset REAL,
  -- Of a remote agent: the version of the messages that it speaks, and since when nothing that it says of slices has arrived though it takes some.
  wire INTEGER,
  unheard_since TEXT,
  -- Of a program of another make: the host that its messages tell, or empty. NULL for our own.
  heard_on TEXT
) STRICT;
CREATE INDEX system_agents_execution ON system_agents (current_execution_id, seq);
CREATE INDEX system_agents_heartbeat ON system_agents (last_heartbeat);
CREATE INDEX system_agents_present ON system_agents (seq) WHERE ${indexPredicates.presentAgent};

-- Executions that have been removed, with their folder of data files: the next removal finishes one that was interrupted, and what still
-- comes for a removed execution is over.
CREATE TABLE removals (execution_id TEXT PRIMARY KEY, data_folder TEXT, removed_at TEXT, removed_by TEXT) STRICT, WITHOUT ROWID;

-- What befell a process that drove an execution: its clock was set, or it wrote nothing for a while.
CREATE TABLE incidents (
  incident_id INTEGER PRIMARY KEY AUTOINCREMENT,
  execution_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('clock_step', 'standstill')),
  hostname TEXT NOT NULL,
  -- Of a standstill when it began; of a step the first time after it.
  since TEXT NOT NULL,
  until TEXT,
  -- Of a step: of the wall clock, and of the times that were told.
  seconds REAL,
  skipped REAL
) STRICT;
CREATE INDEX incidents_execution ON incidents (execution_id, kind, incident_id);

CREATE TABLE app_logs (
  log_id INTEGER PRIMARY KEY AUTOINCREMENT,
  timestamp TEXT NOT NULL,
  level INTEGER NOT NULL,
  agent TEXT NOT NULL,
  message TEXT NOT NULL,
  execution_id TEXT,
  run_id TEXT,
  context TEXT
) STRICT;
CREATE INDEX app_logs_execution ON app_logs (execution_id, log_id);
CREATE INDEX app_logs_run ON app_logs (run_id, log_id);
CREATE INDEX app_logs_agent ON app_logs (agent, log_id);
CREATE INDEX app_logs_trouble ON app_logs (execution_id, log_id) WHERE ${indexPredicates.error};
CREATE INDEX app_logs_warnings ON app_logs (log_id) WHERE ${indexPredicates.warning};
CREATE INDEX app_logs_errors ON app_logs (log_id) WHERE ${indexPredicates.error};

-- Notes about blocks of 512 rows. Block n holds the rows from 512 n + 1 to 512 (n + 1).

-- The earliest and latest time of a block, and how many rows it has: of a time window only the blocks that reach into it are read, and the rows of a
-- day are counted without looking at each.
CREATE TABLE time_blocks (
  table_name TEXT NOT NULL,
  block INTEGER NOT NULL,
  earliest TEXT NOT NULL,
  latest TEXT NOT NULL,
  row_count INTEGER NOT NULL,
  PRIMARY KEY (table_name, block)
) STRICT, WITHOUT ROWID;

-- How many messages of each type an execution has, in all blocks together; '' stands for no execution.
CREATE TABLE message_counts (
  execution_id TEXT NOT NULL,
  message_type TEXT NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (execution_id, message_type)
) STRICT, WITHOUT ROWID;

-- How many messages of each type there are, in all blocks together.
CREATE TABLE message_totals (message_type TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- The blocks that have messages of a namespace: from one to the next there may be millions of others.
CREATE TABLE message_namespaces (
  namespace TEXT NOT NULL,
  block INTEGER NOT NULL,
  PRIMARY KEY (namespace, block)
) STRICT, WITHOUT ROWID;

-- The searchable text of a message: its id and its body without the envelope, which has filters of its own. Of run_workflow only the
-- part that may be shown.
CREATE VIEW message_texts AS SELECT seq, message_id || ' ' ||
  CASE WHEN NOT json_valid(body) THEN body ELSE coalesce((
    SELECT group_concat(value, ' ') FROM json_each(
      CASE WHEN type_no IS NOT ${numberOf("'run_workflow'")} THEN body ELSE json_set(body, '$.params', json_object(
        'workflow', json_remove(body -> '$.params.workflow', '$.includes'),
        'fast_processing', body -> '$.params.fast_processing',
        'fastmon', body -> '$.params.fastmon',
        'daq_state_machine', body -> '$.params.daq_state_machine')) END)
    WHERE coalesce(key, '') NOT IN ('msg_type', 'sender', 'namespace', 'execution_id', 'run_id', 'timestamp', 'simulation_tick', 'message_id')), '')
  END AS text FROM message_rows;
CREATE VIEW log_texts AS SELECT log_id, message AS text, level FROM app_logs;

-- The words of messages and of log lines with their level, without the texts themselves, are in tables of their own (FTS5): message_words_0 and
-- log_words_0 for the first 524,288 rows, message_words_1 for the next. They are kept by blocks: a row at a time would cost twice as much.
CREATE TABLE word_parts (table_name TEXT NOT NULL, part INTEGER NOT NULL, PRIMARY KEY (table_name, part)) STRICT, WITHOUT ROWID;

-- The views that others may ask in SQL.
${Object.entries(documentedViews)
  .map(([name, select]) => `CREATE VIEW ${name} AS ${select};`)
  .join('\n')}
`;
