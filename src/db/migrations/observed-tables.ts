/** As SQL: what other programs said, and what they told their monitor. */
export const observedTables = `-- Observed executions, with what their counts and times follow from. Milliseconds since 1970.
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

`;
