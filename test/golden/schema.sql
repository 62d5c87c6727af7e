CREATE VIEW log_texts AS SELECT log_id, message AS text, level FROM app_logs;

CREATE VIEW lost_starts AS SELECT f.* FROM followed_starts AS f
JOIN system_agents AS a ON a.agent_name = substr(worker_id, 1, instr(worker_id, '/') - 1) AND a.heard_on IS NULL
JOIN processes AS p USING (process_id)
WHERE a.last_heartbeat <= followed_at OR p.registered_at > started_at;

CREATE VIEW message_texts AS SELECT seq, iif(instr(short_id, '/') = 0, short_id, (SELECT name FROM names WHERE name_no = CAST(short_id AS INTEGER)) || substr(CAST(short_id AS BLOB), instr(short_id, '/'))) || ' ' ||
  CASE WHEN NOT json_valid(body) THEN body ELSE coalesce((
    SELECT group_concat(value, ' ') FROM json_each(
      CASE WHEN type_no IS NOT (SELECT name_no FROM names WHERE name = 'run_workflow') THEN body ELSE json_set(body, '$.params', json_object(
        'workflow', json_remove(body -> '$.params.workflow', '$.includes'),
        'fast_processing', body -> '$.params.fast_processing',
        'fastmon', body -> '$.params.fastmon',
        'daq_state_machine', body -> '$.params.daq_state_machine')) END)
    WHERE coalesce(key, '') NOT IN ('msg_type', 'sender', 'namespace', 'execution_id', 'run_id', 'timestamp', 'simulation_tick', 'message_id')), '')
  END AS text FROM message_rows;

CREATE VIEW slice_attempts AS SELECT slice_filename, attempt, execution_id, status AS state, coalesce(assigned_worker, left_by) AS worker_id, hostname, starts,
  coalesce(queued_again_at, created_at) AS queued_at, iif(starts > 0, coalesce(assigned_at, left_from), NULL) AS started_at, completed_at,
  processing_seconds, iif(status = 'failed', error, NULL) AS error, job FROM tf_slices
UNION ALL SELECT slice_filename, attempt, execution_id, state, worker_id, hostname, starts, queued_at, started_at, completed_at, processing_seconds, error, job
FROM earlier_attempts;

CREATE VIEW v_agents AS SELECT agent_name, agent_type, namespace, state, last_heartbeat, current_execution_id, pid, hostname
FROM system_agents JOIN processes USING (process_id);

CREATE VIEW v_alarms AS SELECT alarm_id, execution_id, code, subject, severity, state, coalesce(current_sentence, sentence) AS sentence, count, raised_at, seen_by, seen_sent_by, seen_at, seen_text, cleared_at, raised_sentence FROM alarms;

CREATE VIEW v_attempts AS SELECT slice_filename, attempt, execution_id, state, worker_id, hostname, starts, queued_at, started_at, completed_at,
  round(max(0, unixepoch(completed_at, 'subsec') - unixepoch(started_at, 'subsec')), 3) AS seconds, error, exit_code, signal, output_tail
FROM slice_attempts AS a LEFT JOIN payload_results AS p USING (slice_filename, execution_id, attempt)
UNION ALL SELECT slice_filename, attempt, execution_id, 'lost', worker_id, hostname, 1, queued_at, started_at, NULL, round(max(0, unixepoch(followed_at, 'subsec') - unixepoch(started_at, 'subsec')), 3), 'its worker vanished', NULL, NULL, NULL
FROM lost_starts;

CREATE VIEW v_executions AS SELECT e.execution_id, e.origin, e.run_number, workflow_name, namespace, status, status_reason, phase, executed_by, CASE WHEN json_valid(params) THEN params ->> '$.speed' END AS speed,
  e.start_time, e.end_time, round(max(0, unixepoch(e.end_time, 'subsec') - unixepoch(e.start_time, 'subsec')), 3) AS duration_seconds, max(stfs_announced, coalesce(total_stf_files, 0)) AS stf_count, tf_files_received,
  slices_created, slices_queued, slices_processing, slices_completed, slices_failed, slice_retries + (SELECT count(*) FROM lost_starts AS l WHERE l.execution_id = e.execution_id) AS retries, dataset_bytes AS bytes
FROM workflow_executions AS e JOIN run_states AS s USING (execution_id) JOIN runs AS r USING (execution_id);

CREATE VIEW v_logs AS SELECT log_id, timestamp, CASE WHEN level >= 50 THEN 'CRITICAL' WHEN level >= 40 THEN 'ERROR' WHEN level >= 30 THEN 'WARNING' WHEN level >= 20 THEN 'INFO' WHEN level >= 10 THEN 'DEBUG' ELSE CAST(level AS TEXT) END AS level, agent, message, execution_id, run_id, context FROM app_logs;

CREATE VIEW v_messages AS SELECT seq, iif(instr(short_id, '/') = 0, short_id, (SELECT name FROM names WHERE name_no = CAST(short_id AS INTEGER)) || substr(CAST(short_id AS BLOB), instr(short_id, '/'))) AS message_id, t.name AS message_type, s.name AS sender_agent, n.name AS namespace, e.name AS execution_id, r.name AS run_id,
  strftime('%Y-%m-%dT%H:%M:%fZ', sent_ms / 1000.0, 'unixepoch') AS sent_at, strftime('%Y-%m-%dT%H:%M:%fZ', recorded_ms / 1000.0, 'unixepoch') AS recorded_at, effect, effect_code, effect_reason,
  iif(t.name IS 'run_workflow', NULL, CASE WHEN is_whole THEN body ELSE
    '{"msg_type":"' || (SELECT name FROM names WHERE name_no = type_no) || '"' || iif(body = '{}', '', ',' || substr(body, 2, length(body) - 2)) ||
    ',"sender":"' || (SELECT name FROM names WHERE name_no = sender_no) || '","namespace":"' || (SELECT name FROM names WHERE name_no = namespace_no) ||
    '","execution_id":"' || (SELECT name FROM names WHERE name_no = execution_no) || '","run_id":"' || (SELECT name FROM names WHERE name_no = run_no) || '","timestamp":"' || strftime('%Y-%m-%dT%H:%M:%fZ', sent_ms / 1000.0, 'unixepoch') || '"' ||
    coalesce(',"simulation_tick":' || simulation_tick, '') || ',"message_id":"' || iif(instr(short_id, '/') = 0, short_id, (SELECT name FROM names WHERE name_no = CAST(short_id AS INTEGER)) || substr(CAST(short_id AS BLOB), instr(short_id, '/'))) || '"}' END) AS payload, (SELECT iif(instr(stands.short_id, '/') = 0, stands.short_id, (SELECT name FROM names WHERE name_no = CAST(stands.short_id AS INTEGER)) || substr(CAST(stands.short_id AS BLOB), instr(stands.short_id, '/'))) FROM message_subjects AS p JOIN message_rows AS stands ON stands.seq = p.stands_seq WHERE p.seq = m.seq AND p.stands_seq IS NOT NULL AND p.contradicts = 0) AS repeats, (SELECT iif(instr(stands.short_id, '/') = 0, stands.short_id, (SELECT name FROM names WHERE name_no = CAST(stands.short_id AS INTEGER)) || substr(CAST(stands.short_id AS BLOB), instr(stands.short_id, '/'))) FROM message_subjects AS p JOIN message_rows AS stands ON stands.seq = p.stands_seq WHERE p.seq = m.seq AND p.stands_seq IS NOT NULL AND p.contradicts = 1) AS contradicts
FROM message_rows AS m LEFT JOIN names AS t ON t.name_no = type_no LEFT JOIN names AS s ON s.name_no = sender_no
  LEFT JOIN names AS n ON n.name_no = namespace_no LEFT JOIN names AS e ON e.name_no = execution_no LEFT JOIN names AS r ON r.name_no = run_no;

CREATE VIEW v_notes AS SELECT message_id, execution_id, text, author, sent_by, at, about, for_next, written_at FROM notes;

CREATE VIEW v_quality AS SELECT execution_id, value, reason, author, sent_by, set_at FROM run_quality;

CREATE VIEW v_removed AS SELECT execution_id, removed_at, removed_by FROM removals;

CREATE VIEW v_slices AS SELECT slice_filename, slice_id, tf_filename, stf_filename, execution_id, run_number, tf_first, tf_last, tf_count, status, attempt - 1 + iif(tf_slices.followed_starts > 0, (SELECT count(*) FROM lost_starts AS l WHERE l.slice_filename = tf_slices.slice_filename AND l.execution_id = tf_slices.execution_id), 0) AS retries,
  assigned_worker, hostname, created_at, assigned_at, completed_at, round(max(0, unixepoch(completed_at, 'subsec') - unixepoch(assigned_at, 'subsec')), 3) AS seconds, error
FROM tf_slices;

CREATE VIEW v_stf_files AS SELECT stf_filename, execution_id, run_number, sequence, status, size_bytes, checksum, tf_count, tf_file_count, slice_count, created_at, processed_at
FROM stf_files;

CREATE VIEW v_tf_files AS SELECT tf_filename, stf_filename, execution_id, run_number, tf_first, tf_last, tf_count, size_bytes, slice_count, created_at
FROM fastmon_files;

CREATE VIEW workflow_messages AS SELECT seq, short_id, sent_ms, recorded_ms, simulation_tick,
  effect, effect_code, effect_reason, awaits, wire_message_id, goes_out, outbox_sent_at, body, is_whole, rare,
  iif(instr(short_id, '/') = 0, short_id, (SELECT name FROM names WHERE name_no = CAST(short_id AS INTEGER)) || substr(CAST(short_id AS BLOB), instr(short_id, '/'))) AS message_id,
  (SELECT name FROM names WHERE name_no = type_no) AS message_type,
  (SELECT name FROM names WHERE name_no = sender_no) AS sender_agent,
  (SELECT name FROM names WHERE name_no = namespace_no) AS namespace,
  (SELECT name FROM names WHERE name_no = execution_no) AS execution_id,
  (SELECT name FROM names WHERE name_no = run_no) AS run_id,
  coalesce(destination, CASE (SELECT name FROM names WHERE name_no = type_no) WHEN 'run_workflow' THEN '/queue/workflow_control' WHEN 'run_imminent' THEN '/topic/epictopic' WHEN 'start_run' THEN '/topic/epictopic' WHEN 'stf_gen' THEN '/topic/epictopic' WHEN 'pause_run' THEN '/topic/epictopic' WHEN 'resume_run' THEN '/topic/epictopic' WHEN 'end_run' THEN '/topic/epictopic' WHEN 'stf_ready' THEN '/topic/epictopic' WHEN 'tf_file_registered' THEN '/topic/epictopic' WHEN 'slice' THEN '/queue/panda.transformer.slices' WHEN 'slice_started' THEN '/queue/panda.results.fastprocessing' WHEN 'slice_result' THEN '/queue/panda.results.fastprocessing' WHEN 'slice_returned' THEN '/queue/panda.results.fastprocessing' WHEN 'stop_workflow' THEN '/queue/workflow_control' WHEN 'pause_workflow' THEN '/queue/workflow_control' WHEN 'resume_workflow' THEN '/queue/workflow_control' WHEN 'driver_started' THEN '/topic/epictopic' WHEN 'driver_ended' THEN '/topic/epictopic' WHEN 'driver_lost' THEN '/topic/epictopic' WHEN 'workflow_ended' THEN '/topic/epictopic' WHEN 'note' THEN '/queue/workflow_control' WHEN 'quality' THEN '/queue/workflow_control' WHEN 'alarm_raised' THEN '/queue/workflow_control' WHEN 'alarm_seen' THEN '/queue/workflow_control' WHEN 'alarm_cleared' THEN '/queue/workflow_control' END) AS destination,
  strftime('%Y-%m-%dT%H:%M:%fZ', sent_ms / 1000.0, 'unixepoch') AS sent_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', recorded_ms / 1000.0, 'unixepoch') AS recorded_at,
  CASE WHEN is_whole THEN body ELSE
    '{"msg_type":"' || (SELECT name FROM names WHERE name_no = type_no) || '"' || iif(body = '{}', '', ',' || substr(body, 2, length(body) - 2)) ||
    ',"sender":"' || (SELECT name FROM names WHERE name_no = sender_no) || '","namespace":"' || (SELECT name FROM names WHERE name_no = namespace_no) ||
    '","execution_id":"' || (SELECT name FROM names WHERE name_no = execution_no) || '","run_id":"' || (SELECT name FROM names WHERE name_no = run_no) || '","timestamp":"' || strftime('%Y-%m-%dT%H:%M:%fZ', sent_ms / 1000.0, 'unixepoch') || '"' ||
    coalesce(',"simulation_tick":' || simulation_tick, '') || ',"message_id":"' || iif(instr(short_id, '/') = 0, short_id, (SELECT name FROM names WHERE name_no = CAST(short_id AS INTEGER)) || substr(CAST(short_id AS BLOB), instr(short_id, '/'))) || '"}' END AS payload
FROM message_rows;

CREATE TRIGGER past_agents_begun AFTER INSERT ON system_agents BEGIN
  INSERT INTO past_agents (agent_name, is_heard, since, until, agent_type, namespace, state, process_id, current_execution_id, slots, free_slots, off_duty, clock_offset, wire, unheard_since, heard_on, before_exit, exited_at)
  VALUES (NEW.agent_name, NEW.heard_on IS NOT NULL,
    coalesce((SELECT since FROM (SELECT * FROM past_agents WHERE agent_name = NEW.agent_name AND is_heard = (NEW.heard_on IS NOT NULL) ORDER BY since DESC LIMIT 1) AS last
      WHERE (last.process_id = NEW.process_id AND substr(last.since, 1, 16) = substr(NEW.last_heartbeat, 1, 16))
        OR (last.agent_type IS NEW.agent_type AND last.namespace IS NEW.namespace AND last.state IS NEW.state AND last.process_id IS NEW.process_id AND last.current_execution_id IS NEW.current_execution_id AND last.slots IS NEW.slots AND last.free_slots IS NEW.free_slots AND last.off_duty IS NEW.off_duty AND abs(coalesce(last.clock_offset, 0) - coalesce(NEW.clock_offset, 0)) < 1 AND last.wire IS NEW.wire AND last.unheard_since IS NEW.unheard_since AND last.heard_on IS NEW.heard_on AND unixepoch(NEW.last_heartbeat) - unixepoch(last.until) < 15)), NEW.last_heartbeat),
    NEW.last_heartbeat, NEW.agent_type, NEW.namespace, NEW.state, NEW.process_id, NEW.current_execution_id, NEW.slots, NEW.free_slots, NEW.off_duty, NEW.clock_offset, NEW.wire, NEW.unheard_since, NEW.heard_on, NULL, iif(NULL IS NULL, NULL, strftime('%Y-%m-%dT%H:%M:%fZ', 'now')))
  ON CONFLICT DO UPDATE SET until = max(until, excluded.until), agent_type = excluded.agent_type, namespace = excluded.namespace, state = excluded.state, process_id = excluded.process_id, current_execution_id = excluded.current_execution_id, slots = excluded.slots, free_slots = excluded.free_slots, off_duty = excluded.off_duty, clock_offset = excluded.clock_offset, wire = excluded.wire, unheard_since = excluded.unheard_since, heard_on = excluded.heard_on,
    before_exit = coalesce(excluded.before_exit, before_exit), exited_at = coalesce(excluded.exited_at, exited_at);
END;

CREATE TRIGGER past_agents_changed AFTER UPDATE ON system_agents BEGIN
  INSERT INTO past_agents (agent_name, is_heard, since, until, agent_type, namespace, state, process_id, current_execution_id, slots, free_slots, off_duty, clock_offset, wire, unheard_since, heard_on, before_exit, exited_at)
  VALUES (NEW.agent_name, NEW.heard_on IS NOT NULL,
    coalesce((SELECT since FROM (SELECT * FROM past_agents WHERE agent_name = NEW.agent_name AND is_heard = (NEW.heard_on IS NOT NULL) ORDER BY since DESC LIMIT 1) AS last
      WHERE (last.process_id = NEW.process_id AND substr(last.since, 1, 16) = substr(NEW.last_heartbeat, 1, 16))
        OR (last.agent_type IS NEW.agent_type AND last.namespace IS NEW.namespace AND last.state IS NEW.state AND last.process_id IS NEW.process_id AND last.current_execution_id IS NEW.current_execution_id AND last.slots IS NEW.slots AND last.free_slots IS NEW.free_slots AND last.off_duty IS NEW.off_duty AND abs(coalesce(last.clock_offset, 0) - coalesce(NEW.clock_offset, 0)) < 1 AND last.wire IS NEW.wire AND last.unheard_since IS NEW.unheard_since AND last.heard_on IS NEW.heard_on AND unixepoch(NEW.last_heartbeat) - unixepoch(last.until) < 15)), NEW.last_heartbeat),
    NEW.last_heartbeat, NEW.agent_type, NEW.namespace, NEW.state, NEW.process_id, NEW.current_execution_id, NEW.slots, NEW.free_slots, NEW.off_duty, NEW.clock_offset, NEW.wire, NEW.unheard_since, NEW.heard_on, iif(NEW.state = 'EXITED' AND OLD.state <> 'EXITED', OLD.state, NULL), iif(iif(NEW.state = 'EXITED' AND OLD.state <> 'EXITED', OLD.state, NULL) IS NULL, NULL, strftime('%Y-%m-%dT%H:%M:%fZ', 'now')))
  ON CONFLICT DO UPDATE SET until = max(until, excluded.until), agent_type = excluded.agent_type, namespace = excluded.namespace, state = excluded.state, process_id = excluded.process_id, current_execution_id = excluded.current_execution_id, slots = excluded.slots, free_slots = excluded.free_slots, off_duty = excluded.off_duty, clock_offset = excluded.clock_offset, wire = excluded.wire, unheard_since = excluded.unheard_since, heard_on = excluded.heard_on,
    before_exit = coalesce(excluded.before_exit, before_exit), exited_at = coalesce(excluded.exited_at, exited_at);
END;

CREATE TRIGGER past_commands_noted AFTER UPDATE OF effect, effect_code ON message_rows
WHEN OLD.effect_code IS 'WAITS_FOR_DRIVER' BEGIN
  INSERT OR REPLACE INTO past_commands (seq, after_seq, noted_at)
  SELECT NEW.seq, coalesce(max(seq), 0), strftime('%Y-%m-%dT%H:%M:%fZ', 'now') FROM message_rows;
END;

CREATE TRIGGER past_leases_begun AFTER INSERT ON execution_owners BEGIN
  INSERT OR REPLACE INTO past_leases (execution_id, epoch, process_id, taken_at, after_seq)
  VALUES (NEW.execution_id, NEW.epoch, NEW.process_id, NEW.taken_at, (SELECT coalesce(max(seq), 0) FROM message_rows));
END;

CREATE TRIGGER past_leases_changed AFTER UPDATE ON execution_owners BEGIN
  INSERT OR REPLACE INTO past_leases (execution_id, epoch, process_id, taken_at, after_seq)
  VALUES (NEW.execution_id, NEW.epoch, NEW.process_id, NEW.taken_at, (SELECT coalesce(max(seq), 0) FROM message_rows));
END;

CREATE TABLE alarm_candidates (
  alarm_id TEXT PRIMARY KEY,
  execution_id TEXT NOT NULL,
  found_ms INTEGER,
  gone_ms INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE alarm_receivers (
  receiver TEXT PRIMARY KEY,
  -- The row of the last message that it received.
  seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE alarms (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  alarm_id TEXT NOT NULL UNIQUE,
  execution_id TEXT,
  code TEXT NOT NULL,
  subject TEXT NOT NULL,
  severity TEXT NOT NULL CHECK (severity IN ('warning', 'error')),
  state TEXT NOT NULL CHECK (state IN ('raised', 'seen', 'cleared')),
  -- As it was last told, and as it was when it was raised.
  sentence TEXT NOT NULL,
  raised_sentence TEXT NOT NULL,
  -- What its finding says now, where that has changed since. Not read from the log.
  current_sentence TEXT,
  count INTEGER NOT NULL,
  raised_at TEXT NOT NULL,
  seen_by TEXT,
  -- The one who claims that name; NULL where it is the one who saw it.
  seen_sent_by TEXT,
  seen_at TEXT,
  -- What the one who saw it said.
  seen_text TEXT,
  cleared_at TEXT
) STRICT;

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

CREATE TABLE counters (name TEXT PRIMARY KEY, next_value INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE cursors (
  execution_id TEXT NOT NULL,
  role TEXT NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (execution_id, role)
) STRICT, WITHOUT ROWID;

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

CREATE TABLE execution_owners (
  execution_id TEXT PRIMARY KEY,
  process_id INTEGER NOT NULL REFERENCES processes (process_id),
  epoch INTEGER NOT NULL,
  taken_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

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

CREATE TABLE gaps (
  from_ms INTEGER NOT NULL,
  until_ms INTEGER NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (from_ms, until_ms, reason)
) STRICT, WITHOUT ROWID;

CREATE TABLE handed_over (
  execution_id TEXT NOT NULL,
  site TEXT NOT NULL,
  input_dataset TEXT,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (execution_id, site)
) STRICT, WITHOUT ROWID;

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

CREATE TABLE known_namespaces (
  namespace TEXT NOT NULL,
  broker TEXT NOT NULL,
  listened_at TEXT NOT NULL,
  PRIMARY KEY (namespace, broker)
) STRICT, WITHOUT ROWID;

CREATE TABLE late_messages (
  late_seq INTEGER PRIMARY KEY AUTOINCREMENT,
  execution_id TEXT NOT NULL,
  seq INTEGER NOT NULL
) STRICT;

CREATE TABLE message_counts (
  execution_id TEXT NOT NULL,
  message_type TEXT NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (execution_id, message_type)
) STRICT, WITHOUT ROWID;

CREATE TABLE message_namespaces (
  namespace TEXT NOT NULL,
  block INTEGER NOT NULL,
  PRIMARY KEY (namespace, block)
) STRICT, WITHOUT ROWID;

CREATE TABLE message_rows (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  -- The id of the message, with the number of its first part: "12/stf_ready/…".
  short_id TEXT NOT NULL UNIQUE,
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
  rare INTEGER AS (CASE WHEN effect = 'applied' THEN type_traits ELSE coalesce(type_traits, 0) | ((effect_code IS 'WAITS_FOR_DRIVER') * 4) | ((effect IN ('rejected', 'conflict')) * 8) | ((effect <> 'applied') * 16) END) STORED
) STRICT;

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

CREATE TABLE message_totals (message_type TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT, WITHOUT ROWID;

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

CREATE TABLE moved_files (
  tf_filename TEXT PRIMARY KEY,
  execution_id TEXT NOT NULL,
  file_url TEXT NOT NULL,
  moved_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE names (name_no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE notes (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  message_id TEXT NOT NULL UNIQUE,
  execution_id TEXT,
  text TEXT NOT NULL,
  author TEXT NOT NULL,
  -- The one who claims that name; NULL where it is the author.
  sent_by TEXT,
  -- The time that the note is about; when it was written, where it names none.
  at TEXT NOT NULL,
  about TEXT,
  for_next INTEGER NOT NULL DEFAULT 0,
  written_at TEXT NOT NULL
) STRICT;

CREATE TABLE observed_keys (
  execution_id TEXT NOT NULL,
  sender TEXT NOT NULL,
  message_type TEXT NOT NULL,
  state TEXT NOT NULL,
  key TEXT NOT NULL,
  filled INTEGER NOT NULL,
  PRIMARY KEY (execution_id, sender, message_type, state, key)
) STRICT, WITHOUT ROWID;

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

CREATE TABLE observed_samples (
  execution_id TEXT NOT NULL,
  tf_filename TEXT NOT NULL,
  slices INTEGER NOT NULL,
  largest INTEGER,
  first_at TEXT NOT NULL,
  PRIMARY KEY (execution_id, tf_filename)
) STRICT, WITHOUT ROWID;

CREATE TABLE past_agents (
  agent_name TEXT NOT NULL,
  -- 1 for an observed program, which may have the name of an agent of this store.
  is_heard INTEGER NOT NULL,
  since TEXT NOT NULL,
  -- The last sign of life in this state.
  until TEXT NOT NULL,
  agent_type TEXT NOT NULL,
  namespace TEXT NOT NULL,
  state TEXT NOT NULL,
  -- If it has ended: its state before, and when the end was recorded, which for a killed one is later than its last sign of life.
  before_exit TEXT,
  exited_at TEXT,
  process_id INTEGER NOT NULL,
  current_execution_id TEXT,
  slots INTEGER,
  free_slots INTEGER,
  off_duty TEXT,
  clock_offset REAL,
  wire INTEGER,
  unheard_since TEXT,
  heard_on TEXT,
  PRIMARY KEY (agent_name, is_heard, since)
) STRICT, WITHOUT ROWID;

CREATE TABLE past_commands (
  seq INTEGER PRIMARY KEY,
  after_seq INTEGER NOT NULL,
  noted_at TEXT NOT NULL
) STRICT;

CREATE TABLE past_leases (
  execution_id TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  process_id INTEGER NOT NULL,
  taken_at TEXT NOT NULL,
  -- The last row of the log before it; the driver's own messages follow in the same transaction.
  after_seq INTEGER NOT NULL,
  PRIMARY KEY (execution_id, epoch)
) STRICT, WITHOUT ROWID;

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

CREATE TABLE recorded_blocks (
  block INTEGER PRIMARY KEY,
  earliest_ms INTEGER NOT NULL,
  latest_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE recorders (
  namespace TEXT PRIMARY KEY,
  process_id INTEGER NOT NULL REFERENCES processes (process_id),
  -- Since when it has had no connection to its broker.
  broker_away_since TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE removals (execution_id TEXT PRIMARY KEY, data_folder TEXT, removed_at TEXT, removed_by TEXT) STRICT, WITHOUT ROWID;

CREATE TABLE requests_in_hand (
  namespace TEXT NOT NULL,
  request_id TEXT NOT NULL,
  -- Milliseconds since 1970.
  taken_ms INTEGER NOT NULL,
  PRIMARY KEY (namespace, request_id)
) STRICT, WITHOUT ROWID;

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

CREATE TABLE run_quality (
  execution_id TEXT PRIMARY KEY,
  message_id TEXT NOT NULL,
  value TEXT NOT NULL CHECK (value IN ('good', 'bad', 'test', 'none')),
  reason TEXT NOT NULL,
  author TEXT NOT NULL,
  sent_by TEXT,
  set_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

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

CREATE TABLE standstills (
  standstill_id INTEGER PRIMARY KEY AUTOINCREMENT,
  execution_id TEXT NOT NULL,
  since TEXT NOT NULL,
  until TEXT NOT NULL
) STRICT;

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

CREATE TABLE store_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

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

CREATE TABLE testbed_requests (
  request_id INTEGER PRIMARY KEY AUTOINCREMENT,
  asked_ms INTEGER NOT NULL,
  asked_by TEXT NOT NULL,
  namespace TEXT NOT NULL,
  body TEXT NOT NULL,
  -- Written before it is sent, so that it is sent at most once.
  sent_ms INTEGER
) STRICT;

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

CREATE TABLE time_blocks (
  table_name TEXT NOT NULL,
  block INTEGER NOT NULL,
  earliest TEXT NOT NULL,
  latest TEXT NOT NULL,
  row_count INTEGER NOT NULL,
  PRIMARY KEY (table_name, block)
) STRICT, WITHOUT ROWID;

CREATE TABLE watchers (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  process_id INTEGER NOT NULL REFERENCES processes (process_id),
  -- When it last checked. Milliseconds since 1970.
  looked_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE word_parts (table_name TEXT NOT NULL, part INTEGER NOT NULL, PRIMARY KEY (table_name, part)) STRICT, WITHOUT ROWID;

CREATE TABLE workflow_executions (
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

CREATE INDEX alarms_execution ON alarms (execution_id, seq);

CREATE INDEX alarms_open ON alarms (state, seq);

CREATE INDEX app_logs_agent ON app_logs (agent, log_id);

CREATE INDEX app_logs_errors ON app_logs (log_id) WHERE level >= 40;

CREATE INDEX app_logs_execution ON app_logs (execution_id, log_id);

CREATE INDEX app_logs_run ON app_logs (run_id, log_id);

CREATE INDEX app_logs_trouble ON app_logs (execution_id, log_id) WHERE level >= 40;

CREATE INDEX app_logs_warnings ON app_logs (log_id) WHERE level >= 30;

CREATE INDEX earlier_attempts_execution ON earlier_attempts (execution_id, slice_filename);

CREATE INDEX fastmon_files_execution ON fastmon_files (execution_id, seq);

CREATE INDEX fastmon_files_stf ON fastmon_files (stf_filename, seq);

CREATE INDEX fastmon_files_waited ON fastmon_files (execution_id, waited_ms) WHERE waited_ms IS NOT NULL;

CREATE INDEX followed_starts_execution ON followed_starts (execution_id, followed_at);

CREATE INDEX late_messages_execution ON late_messages (execution_id, late_seq);

CREATE INDEX message_rows_agent ON message_rows (sender_no, seq);

CREATE INDEX message_rows_awaits ON message_rows (execution_no, awaits, seq) WHERE awaits IS NOT NULL;

CREATE INDEX message_rows_execution ON message_rows (execution_no, seq);

CREATE INDEX message_rows_execution_without_effect ON message_rows (execution_no, seq) WHERE (rare & 16) <> 0;

CREATE INDEX message_rows_landmarks ON message_rows (execution_no, seq) WHERE (rare & 1) <> 0;

CREATE INDEX message_rows_logbook ON message_rows (seq) WHERE (rare & 32) <> 0;

CREATE INDEX message_rows_outbox ON message_rows (namespace_no, seq) WHERE outbox_sent_at IS NULL AND goes_out IN (1, 2);

CREATE INDEX message_rows_run ON message_rows (run_no, seq);

CREATE INDEX message_rows_seldom ON message_rows (type_no, seq) WHERE (rare & 2) <> 0;

CREATE INDEX message_rows_trouble ON message_rows (execution_no, seq) WHERE (rare & 8) <> 0;

CREATE INDEX message_rows_type ON message_rows (execution_no, type_no, seq);

CREATE INDEX message_rows_waiting ON message_rows (execution_no, seq) WHERE (rare & 4) <> 0;

CREATE INDEX message_rows_without_effect ON message_rows (effect, seq) WHERE (rare & 16) <> 0;

CREATE INDEX message_subjects_attempt ON message_subjects (execution_id, seq) WHERE subject || '' = 'attempt';

CREATE INDEX message_subjects_repeated ON message_subjects (seq) WHERE stands_seq IS NOT NULL;

CREATE INDEX monitor_objects_name ON monitor_objects (kind, name);

CREATE INDEX monitor_objects_parent ON monitor_objects (kind, parent, number);

CREATE INDEX monitor_objects_run ON monitor_objects (kind, run_id, number);

CREATE INDEX notes_execution ON notes (execution_id, seq);

CREATE INDEX notes_written ON notes (written_at);

CREATE INDEX observed_runs_run ON observed_runs (run_id);

CREATE INDEX observed_runs_told ON observed_runs (told_id);

CREATE UNIQUE INDEX processes_remote ON processes (hostname, pid, pid_started) WHERE is_remote = 1;

CREATE INDEX returned_slices_execution ON returned_slices (execution_id, kind);

CREATE INDEX standstills_execution ON standstills (execution_id, standstill_id);

CREATE INDEX stf_files_execution ON stf_files (execution_id, seq);

CREATE INDEX stf_files_failed ON stf_files (seq) WHERE status = 'failed';

CREATE INDEX stf_files_registered ON stf_files (execution_id, seq) WHERE status = 'registered';

CREATE INDEX stf_files_took ON stf_files (execution_id, took_ms) WHERE took_ms IS NOT NULL;

CREATE INDEX stf_sites_failed ON stf_sites (execution_id, stf_filename) WHERE status = 'failed';

CREATE INDEX system_agents_execution ON system_agents (current_execution_id, seq);

CREATE UNIQUE INDEX system_agents_heard ON system_agents (agent_name) WHERE heard_on IS NOT NULL;

CREATE INDEX system_agents_heartbeat ON system_agents (last_heartbeat);

CREATE UNIQUE INDEX system_agents_own ON system_agents (agent_name) WHERE heard_on IS NULL;

CREATE INDEX system_agents_present ON system_agents (seq) WHERE state <> 'EXITED';

CREATE INDEX tf_slices_execution ON tf_slices (execution_id, seq);

CREATE INDEX tf_slices_failed ON tf_slices (seq) WHERE status = 'failed';

CREATE INDEX tf_slices_open ON tf_slices (execution_id, status, seq) WHERE status IN ('queued', 'processing', 'failed', 'unanswered');

CREATE INDEX tf_slices_pending ON tf_slices (status, seq) WHERE status IN ('queued', 'processing', 'unanswered');

CREATE INDEX tf_slices_retried ON tf_slices (execution_id, seq) WHERE attempt + followed_starts > 1;

CREATE INDEX tf_slices_stf ON tf_slices (stf_filename, seq);

CREATE INDEX tf_slices_tf ON tf_slices (tf_filename, seq);

CREATE INDEX tf_slices_took ON tf_slices (execution_id, status, took_ms) WHERE took_ms IS NOT NULL;

CREATE INDEX tf_slices_waited ON tf_slices (execution_id, waited_ms) WHERE waited_ms IS NOT NULL;

CREATE INDEX tf_slices_worker ON tf_slices (assigned_worker, seq) WHERE assigned_worker IS NOT NULL;

CREATE UNIQUE INDEX workflow_executions_own_run ON workflow_executions (run_number) WHERE origin = 'own';

CREATE INDEX workflow_executions_run ON workflow_executions (run_number, seq);

CREATE INDEX workflow_executions_status ON workflow_executions (status, seq);
