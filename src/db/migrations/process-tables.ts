import { indexPredicates } from './index-predicates.ts';

/** As SQL: processes, what they hear, agents and log lines. None of it is read from the log. */
export const processTables = `-- The tables from here on are not read from the log: processes, cursors, agents, log lines.

-- Times in which an observer listened, or which a recording is of. Milliseconds since 1970.
CREATE TABLE hearings (
  -- A namespace; empty: all of them.
  namespace TEXT NOT NULL,
  since_ms INTEGER NOT NULL,
  -- Up to when messages were heard, without those that still wait in the broker.
  until_ms INTEGER NOT NULL,
  -- The observer; NULL for a recording.
  process_id INTEGER REFERENCES processes (process_id),
  -- When the observer last reported that it reaches its broker; NULL before it does, and for a recording.
  beat_ms INTEGER,
  -- The topics that it listens to (JSON); NULL if that is unknown.
  topics TEXT,
  -- 1: the observer sends requests to programs of the namespace.
  may_send INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (namespace, since_ms)
) STRICT, WITHOUT ROWID;

-- The process that watches for alarms; another one stands by.
CREATE TABLE watchers (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  process_id INTEGER NOT NULL REFERENCES processes (process_id),
  -- Its last look. Milliseconds since 1970.
  looked_ms INTEGER NOT NULL
) STRICT;

-- Findings that may become an alarm, and alarms that may be over: they have to last. Milliseconds since 1970.
CREATE TABLE alarm_candidates (
  alarm_id TEXT PRIMARY KEY,
  execution_id TEXT NOT NULL,
  found_ms INTEGER,
  gone_ms INTEGER
) STRICT, WITHOUT ROWID;

-- How far each receiver of alarms has been told. One is known by a digest: its address may be a secret.
CREATE TABLE alarm_receivers (
  receiver TEXT PRIMARY KEY,
  -- The row of the last message that it has.
  seq INTEGER NOT NULL
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
  is_remote INTEGER NOT NULL DEFAULT 0
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
  agent_name TEXT NOT NULL,
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
-- An agent of this store and a program that was heard may have the same name.
CREATE UNIQUE INDEX system_agents_own ON system_agents (agent_name) WHERE ${indexPredicates.ownAgent};
CREATE UNIQUE INDEX system_agents_heard ON system_agents (agent_name) WHERE ${indexPredicates.heardAgent};
CREATE INDEX system_agents_execution ON system_agents (current_execution_id, seq);
CREATE INDEX system_agents_heartbeat ON system_agents (last_heartbeat);
CREATE INDEX system_agents_present ON system_agents (seq) WHERE ${indexPredicates.presentAgent};

-- Executions that have been removed, with their folder of data files: the next removal finishes one that was interrupted, and what still
-- comes for a removed execution is over.
CREATE TABLE removals (execution_id TEXT PRIMARY KEY, data_folder TEXT, removed_at TEXT, removed_by TEXT) STRICT, WITHOUT ROWID;

-- Times in which a process that drove an execution wrote nothing.
CREATE TABLE standstills (
  standstill_id INTEGER PRIMARY KEY AUTOINCREMENT,
  execution_id TEXT NOT NULL,
  since TEXT NOT NULL,
  until TEXT NOT NULL
) STRICT;
CREATE INDEX standstills_execution ON standstills (execution_id, standstill_id);

CREATE TABLE app_logs (
  log_id INTEGER PRIMARY KEY AUTOINCREMENT,
  timestamp TEXT NOT NULL,
  level INTEGER NOT NULL,
  agent TEXT NOT NULL,
  message TEXT NOT NULL,
  execution_id TEXT,
  run_id TEXT,
  context TEXT,
  -- The last row of the log when it was written.
  after_seq INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX app_logs_execution ON app_logs (execution_id, log_id);
CREATE INDEX app_logs_run ON app_logs (run_id, log_id);
CREATE INDEX app_logs_agent ON app_logs (agent, log_id);
CREATE INDEX app_logs_trouble ON app_logs (execution_id, log_id) WHERE ${indexPredicates.error};
CREATE INDEX app_logs_warnings ON app_logs (log_id) WHERE ${indexPredicates.warning};
CREATE INDEX app_logs_errors ON app_logs (log_id) WHERE ${indexPredicates.error};

`;
