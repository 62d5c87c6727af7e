/** As SQL: what people wrote about executions, and alarms. All of it is read from the log. */
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
