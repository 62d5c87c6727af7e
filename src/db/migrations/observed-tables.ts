import { indexPredicates } from './index-predicates.ts';

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
  -- When the result came that stands for a slice, the last of all and the last of a completed one; 0 without one.
  last_result_ms INTEGER NOT NULL DEFAULT 0,
  last_done_ms INTEGER NOT NULL DEFAULT 0,
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
  -- In prompt processing, how the site of an STF file is chosen, as its messages say.
  policy TEXT,
  UNIQUE (namespace, run_id, told_id, told_start)
) STRICT, WITHOUT ROWID;
CREATE INDEX observed_runs_run ON observed_runs (run_id);
CREATE INDEX observed_runs_told ON observed_runs (told_id);

-- The subjects of each message: a thing, by the kind of its fact and its name, or a name that joins a result to its slice ('request', 'id' and 'time' of
-- slices, 'result' of results). 'attempt': the messages that decide how a slice stands.
CREATE TABLE message_subjects (
  execution_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  key TEXT NOT NULL,
  seq INTEGER NOT NULL,
  -- The message that stands, if this one says the same already, or contradicts it.
  stands_seq INTEGER,
  contradicts INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (execution_id, subject, key, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX message_subjects_attempt ON message_subjects (execution_id, seq) WHERE ${indexPredicates.deciding};
CREATE INDEX message_subjects_repeated ON message_subjects (seq) WHERE stands_seq IS NOT NULL;

-- The sites that process an STF file of prompt processing, and how far they are. The name of the only site of the public programs is not told: ''.
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

-- The TF files that slices name: how many, their largest one, and when the first was sent.
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
`;
