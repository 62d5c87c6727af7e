import { indexPredicates, rareColumn } from './index-predicates.ts';
import { messageColumns } from './message-columns.ts';

/** As SQL: the log's tables, for numbers, names, messages and waiting messages. */
export const logTables = `-- Facts about this store: its id, when it was made.
CREATE TABLE store_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- The next number of each kind: execution, run, agent.
CREATE TABLE counters (name TEXT PRIMARY KEY, next_value INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- Names that very many messages repeat: types, agents, namespaces, executions, runs, and the first part of each message id. Rows of the log have their numbers.
CREATE TABLE names (name_no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

-- The record: everything that was said, in the order of recording. All tables down to slice_attempts are read from it.
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
CREATE INDEX message_rows_logbook ON message_rows (seq) WHERE ${indexPredicates.logbook};
CREATE INDEX message_rows_without_effect ON message_rows (effect, seq) WHERE ${indexPredicates.withoutEffect};
CREATE INDEX message_rows_execution_without_effect ON message_rows (execution_no, seq) WHERE ${indexPredicates.withoutEffect};

-- The record as it was said: times as UTC in ISO 8601, destinations, and payloads byte for byte.
CREATE VIEW workflow_messages AS SELECT seq, short_id, sent_ms, recorded_ms, simulation_tick,
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

`;

/**
 * As SQL: tables for alarms, and for what people wrote about executions. All are derived from the log.
 */
export const logbookTables = `-- Notes of people. The execution is NULL for a note about none.
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
CREATE INDEX notes_execution ON notes (execution_id, seq);
CREATE INDEX notes_written ON notes (written_at);

-- The quality of a run as somebody set it last; earlier ones are in the log.
CREATE TABLE run_quality (
  execution_id TEXT PRIMARY KEY,
  message_id TEXT NOT NULL,
  value TEXT NOT NULL CHECK (value IN ('good', 'bad', 'test', 'none')),
  reason TEXT NOT NULL,
  author TEXT NOT NULL,
  sent_by TEXT,
  set_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Alarms. One that comes back is the same alarm with a higher count, and a new row.
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
CREATE INDEX alarms_execution ON alarms (execution_id, seq);
CREATE INDEX alarms_open ON alarms (state, seq);

`;
