import { indexPredicates } from './index-predicates.ts';

/**
 * As SQL: the tables that are not derived from the log of messages, such as those of processes, agents and log
 * lines.
 */
export const processTables = `-- The tables from here on are not derived from the log: processes, cursors, agents, log lines.

-- Periods in which an observer listened, or that a recording covers. Milliseconds since 1970.
CREATE TABLE hearings (
  -- A namespace, or empty for all.
  namespace TEXT NOT NULL,
  since_ms INTEGER NOT NULL,
  -- Up to when messages were received; later ones may still wait in the broker.
  until_ms INTEGER NOT NULL,
  -- The observer; NULL for a recording.
  process_id INTEGER REFERENCES processes (process_id),
  -- When the observer last reported a connection to its broker; NULL before the first time, and for a recording.
  beat_ms INTEGER,
  -- The topics that it listens to (JSON); NULL if unknown.
  topics TEXT,
  -- 1 if the observer sends requests to programs of the namespace.
  may_send INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (namespace, since_ms)
) STRICT, WITHOUT ROWID;

-- The process that watches for alarms; others stand by.
CREATE TABLE watchers (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  process_id INTEGER NOT NULL REFERENCES processes (process_id),
  -- When it last checked. Milliseconds since 1970.
  looked_ms INTEGER NOT NULL
) STRICT;

-- Findings that become an alarm, and alarms that clear, if they persist. Milliseconds since 1970.
CREATE TABLE alarm_candidates (
  alarm_id TEXT PRIMARY KEY,
  execution_id TEXT NOT NULL,
  found_ms INTEGER,
  gone_ms INTEGER
) STRICT, WITHOUT ROWID;

-- What each receiver of alarms has been notified of. A digest identifies it, because its address may be a secret.
CREATE TABLE alarm_receivers (
  receiver TEXT PRIMARY KEY,
  -- The row of the last message that it received.
  seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Requests to programs of an observed testbed, which the observer sends.
CREATE TABLE testbed_requests (
  request_id INTEGER PRIMARY KEY AUTOINCREMENT,
  asked_ms INTEGER NOT NULL,
  asked_by TEXT NOT NULL,
  namespace TEXT NOT NULL,
  body TEXT NOT NULL,
  -- Written before it is sent, so that it is sent at most once.
  sent_ms INTEGER
) STRICT;

-- Periods in which nothing could be received.
CREATE TABLE gaps (
  from_ms INTEGER NOT NULL,
  until_ms INTEGER NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (from_ms, until_ms, reason)
) STRICT, WITHOUT ROWID;

-- Processes that have written to this store. A driver is gone when its process is gone.
CREATE TABLE processes (
  process_id INTEGER PRIMARY KEY AUTOINCREMENT,
  pid INTEGER NOT NULL,
  -- Distinguishes a process from a later one with the same pid; empty if the system does not report it. For a remote process: its start, as it reports it.
  pid_started TEXT NOT NULL,
  hostname TEXT NOT NULL,
  -- The version of swf-mcp: while the process is alive, no newer version changes the schema.
  version TEXT NOT NULL,
  registered_at TEXT NOT NULL,
  last_beat TEXT NOT NULL,
  -- How it ended; NULL if no process has recorded that.
  ended TEXT CHECK (ended IN ('order', 'fault', 'lost')),
  -- For a remote process: the number of the last log line received from it.
  logged_n INTEGER NOT NULL DEFAULT 0,
  -- 1 for a process without a store, which reaches the recorder only through the broker.
  is_remote INTEGER NOT NULL DEFAULT 0
) STRICT;
-- A remote process is identified by what it reports about itself.
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
  -- Since when it has had no connection to its broker.
  broker_away_since TEXT
) STRICT, WITHOUT ROWID;

-- Namespaces on a broker (its address, and the topics listened to) in which no other software was heard before they were first used.
CREATE TABLE known_namespaces (
  namespace TEXT NOT NULL,
  broker TEXT NOT NULL,
  listened_at TEXT NOT NULL,
  PRIMARY KEY (namespace, broker)
) STRICT, WITHOUT ROWID;

-- Requests that a recorder has accepted, and that a broker without message ids may deliver again.
CREATE TABLE requests_in_hand (
  namespace TEXT NOT NULL,
  request_id TEXT NOT NULL,
  -- Milliseconds since 1970.
  taken_ms INTEGER NOT NULL,
  PRIMARY KEY (namespace, request_id)
) STRICT, WITHOUT ROWID;

-- How far each role has read an execution's log.
CREATE TABLE cursors (
  execution_id TEXT NOT NULL,
  role TEXT NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (execution_id, role)
) STRICT, WITHOUT ROWID;

-- The new location of each TF file that was made again on another host. The log keeps the first one.
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
  -- What a remote agent reports about itself: its slots, its free slots, kinds of work that it cannot do (JSON), and by how many seconds its clock is
  -- ahead.
  slots INTEGER,
  free_slots INTEGER,
  off_duty TEXT,
  clock_offset REAL,
  -- For a remote agent: its message version, and since when none of its reports on slices has arrived although it takes slices.
  wire INTEGER,
  unheard_since TEXT,
  -- For another program: the host that its messages name, or empty. NULL for own agents.
  heard_on TEXT
) STRICT;
-- An agent of this store and an observed program may have the same name.
CREATE UNIQUE INDEX system_agents_own ON system_agents (agent_name) WHERE ${indexPredicates.ownAgent};
CREATE UNIQUE INDEX system_agents_heard ON system_agents (agent_name) WHERE ${indexPredicates.heardAgent};
CREATE INDEX system_agents_execution ON system_agents (current_execution_id, seq);
CREATE INDEX system_agents_heartbeat ON system_agents (last_heartbeat);
CREATE INDEX system_agents_present ON system_agents (seq) WHERE ${indexPredicates.presentAgent};

-- Removed executions, with their data folder: the next removal finishes an interrupted one, and messages that still
-- arrive for a removed execution are ignored.
CREATE TABLE removals (execution_id TEXT PRIMARY KEY, data_folder TEXT, removed_at TEXT, removed_by TEXT) STRICT, WITHOUT ROWID;

-- Periods in which a process that drove an execution wrote nothing.
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
  -- The last row of the log when this line was written.
  after_seq INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX app_logs_execution ON app_logs (execution_id, log_id);
CREATE INDEX app_logs_run ON app_logs (run_id, log_id);
CREATE INDEX app_logs_agent ON app_logs (agent, log_id);
CREATE INDEX app_logs_trouble ON app_logs (execution_id, log_id) WHERE ${indexPredicates.error};
CREATE INDEX app_logs_warnings ON app_logs (log_id) WHERE ${indexPredicates.warning};
CREATE INDEX app_logs_errors ON app_logs (log_id) WHERE ${indexPredicates.error};

`;
