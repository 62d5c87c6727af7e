import type { Migration } from './migration.ts';

export const lateMessages: Migration = {
  name: 'messages that came before what they refer to; executions that are being removed',
  sql: `
-- What a message without effect waits for: it takes effect when that comes. NULL for all others.
ALTER TABLE workflow_messages ADD COLUMN awaits TEXT;
CREATE INDEX workflow_messages_awaits ON workflow_messages (execution_id, awaits, seq) WHERE awaits IS NOT NULL;

-- The messages that have taken effect so, in that order: readers may have passed their place in the log.
CREATE TABLE late_messages (
  late_seq INTEGER PRIMARY KEY AUTOINCREMENT,
  execution_id TEXT NOT NULL,
  seq INTEGER NOT NULL
) STRICT;
CREATE INDEX late_messages_execution ON late_messages (execution_id, late_seq);

-- Executions that have been removed, with their folder of data files: a removal that was interrupted is finished by the next
-- one, and what still comes for them is over.
CREATE TABLE removals (execution_id TEXT PRIMARY KEY, data_folder TEXT, removed_at TEXT) STRICT, WITHOUT ROWID;
`,
};
