import { indexPredicates } from './index-predicates.ts';

/** As SQL: what other programs sent, and what they reported to their monitor. */
export const observedTables = `-- Observed executions, with what their counts and times are derived from. Milliseconds since 1970.
CREATE TABLE observed_runs (
  execution_id TEXT PRIMARY KEY,
  -- The execution id in its messages: two runs may have the same.
  told_id TEXT NOT NULL,
  namespace TEXT NOT NULL,
  -- Empty while the run is unknown.
  run_id TEXT NOT NULL,
  -- The dialects observed, one letter each.
  dialects TEXT NOT NULL DEFAULT '',
  first_ms INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  -- The number of slices whose message names no execution.
  without_execution INTEGER NOT NULL DEFAULT 0,
  -- Results after the first of an attempt, and results that match no observed slice.
  results_repeated INTEGER NOT NULL DEFAULT 0,
  results_unmatched INTEGER NOT NULL DEFAULT 0,
  -- When the last slice got its result, and when the last one completed; 0 if none has.
  last_result_ms INTEGER NOT NULL DEFAULT 0,
  last_done_ms INTEGER NOT NULL DEFAULT 0,
  -- The start that its runner registered by REST; empty if none.
  told_start TEXT NOT NULL DEFAULT '',
  -- The last status registered by REST, who registered it, when, and when its end was first registered. Milliseconds since 1970.
  told_status TEXT CHECK (told_status IN ('running', 'completed', 'failed', 'terminated')),
  told_by TEXT,
  told_ms INTEGER,
  told_end_ms INTEGER,
  -- Slices registered by REST, and those of them for which no message was received.
  slices_told INTEGER NOT NULL DEFAULT 0,
  slices_unsent INTEGER NOT NULL DEFAULT 0,
  -- Slices whose message was not received but that have a result by REST.
  slices_unheard INTEGER NOT NULL DEFAULT 0,
  -- When everything about the run was last read from its monitor. Milliseconds since 1970.
  read_ms INTEGER,
  -- In prompt processing: how the site of an STF file is chosen, according to its messages.
  policy TEXT,
  UNIQUE (namespace, run_id, told_id, told_start)
) STRICT, WITHOUT ROWID;
CREATE INDEX observed_runs_run ON observed_runs (run_id);
CREATE INDEX observed_runs_told ON observed_runs (told_id);

-- The subjects of each message: an object, by kind and name, or a name that links a result to its slice ('request', 'id' and 'time' of
-- slices, 'result' of results). 'attempt': the messages that determine the state of a slice.
CREATE TABLE message_subjects (
  execution_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  key TEXT NOT NULL,
  seq INTEGER NOT NULL,
  -- The message that counts, if this one repeats or contradicts it.
  stands_seq INTEGER,
  contradicts INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (execution_id, subject, key, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX message_subjects_attempt ON message_subjects (execution_id, seq) WHERE ${indexPredicates.deciding};
CREATE INDEX message_subjects_repeated ON message_subjects (seq) WHERE stands_seq IS NOT NULL;

-- The sites that process an STF file in prompt processing, and their progress. The public programs do not name their only site: ''.
CREATE TABLE stf_sites (
  execution_id TEXT NOT NULL,
  stf_filename TEXT NOT NULL,
  site TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('registered', 'processing', 'processed', 'failed')),
  task_id TEXT,
  input_dataset TEXT,
  output_dataset TEXT,
  reason TEXT,
  PRIMARY KEY (execution_id, stf_filename, site)
) STRICT, WITHOUT ROWID;
CREATE INDEX stf_sites_failed ON stf_sites (execution_id, stf_filename) WHERE ${indexPredicates.failedStf};

-- When a run was handed over to PanDA, by site. Milliseconds since 1970.
CREATE TABLE handed_over (
  execution_id TEXT NOT NULL,
  site TEXT NOT NULL,
  input_dataset TEXT,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (execution_id, site)
) STRICT, WITHOUT ROWID;

-- The TF files that slices name: the number of slices, the largest one, and when the first was sent.
CREATE TABLE observed_samples (
  execution_id TEXT NOT NULL,
  tf_filename TEXT NOT NULL,
  slices INTEGER NOT NULL,
  largest INTEGER,
  first_at TEXT NOT NULL,
  PRIMARY KEY (execution_id, tf_filename)
) STRICT, WITHOUT ROWID;

-- How many messages of a sender, type and state have a value for a key; key '' counts the messages.
CREATE TABLE observed_keys (
  execution_id TEXT NOT NULL,
  sender TEXT NOT NULL,
  message_type TEXT NOT NULL,
  state TEXT NOT NULL,
  key TEXT NOT NULL,
  filled INTEGER NOT NULL,
  PRIMARY KEY (execution_id, sender, message_type, state, key)
) STRICT, WITHOUT ROWID;

-- What testbed programs registered with "swf-mcp observe --api", which stands in for their monitor, in the form in which it is returned.
CREATE TABLE monitor_objects (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  -- The resource: stf-files, tf-slices, …
  kind TEXT NOT NULL,
  object_id TEXT NOT NULL,
  -- The natural key within the resource.
  name TEXT NOT NULL,
  run_id TEXT,
  -- The number of a slice, and the file by which an object is looked up.
  number INTEGER,
  parent TEXT,
  document TEXT NOT NULL,
  UNIQUE (kind, object_id)
) STRICT;
CREATE INDEX monitor_objects_name ON monitor_objects (kind, name);
CREATE INDEX monitor_objects_run ON monitor_objects (kind, run_id, number);
CREATE INDEX monitor_objects_parent ON monitor_objects (kind, parent, number);
`;
