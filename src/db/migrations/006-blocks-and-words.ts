import type { Migration } from './migration.ts';

/** Rows of a table that have come after its last block. */
const afterBlocks = (table: string, key: string): string =>
  `${key} > (SELECT (coalesce(max(block), -1) + 1) * 1024 FROM time_blocks WHERE table_name = '${table}')`;

/** What is noted of each 1,024 rows when the last of them is written; `first` is done before the block counts as noted. */
const noteBlocks = (table: string, key: string, time: string, first = ''): string => `
INSERT INTO time_blocks SELECT '${table}', (${key} - 1) / 1024, min(${time}), max(${time}) FROM ${table}
  WHERE ${key} <= (SELECT max(${key}) / 1024 * 1024 FROM ${table}) GROUP BY 2;
CREATE TRIGGER ${table}_block AFTER INSERT ON ${table} WHEN NEW.${key} % 1024 = 0 BEGIN${first}
  INSERT INTO time_blocks SELECT '${table}', (${key} - 1) / 1024, min(${time}), max(${time}) FROM ${table}
    WHERE ${afterBlocks(table, key)} AND ${key} <= NEW.${key} GROUP BY 2;
END;
`;

export const blocksAndWords: Migration = {
  name: 'times and words of what was recorded, noted for many rows at once',
  sql: `
-- The earliest and latest time among 1,024 rows: of a time window only the blocks that reach into it are read. Block n holds
-- the rows from 1024 n + 1 to 1024 (n + 1).
CREATE TABLE time_blocks (
  table_name TEXT NOT NULL,
  block INTEGER NOT NULL,
  earliest TEXT NOT NULL,
  latest TEXT NOT NULL,
  PRIMARY KEY (table_name, block)
) STRICT, WITHOUT ROWID;

-- How many messages of each type an execution has, in all blocks together; '' stands for no execution.
CREATE TABLE message_counts (
  execution_id TEXT NOT NULL,
  message_type TEXT NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (execution_id, message_type)
) STRICT, WITHOUT ROWID;

-- What can be searched of a message: its id and what its body says, without the envelope, which has filters of its own. Of
-- run_workflow only what may be shown.
CREATE VIEW message_texts AS SELECT seq, message_id || ' ' ||
  CASE WHEN NOT json_valid(payload) THEN payload ELSE coalesce((
    SELECT group_concat(value, ' ') FROM json_each(
      CASE WHEN message_type <> 'run_workflow' THEN payload ELSE json_set(payload, '$.params', json_object(
        'workflow', json_remove(json_extract(payload, '$.params.workflow'), '$.includes'),
        'fast_processing', json_extract(payload, '$.params.fast_processing'),
        'fastmon', json_extract(payload, '$.params.fastmon'),
        'daq_state_machine', json_extract(payload, '$.params.daq_state_machine'))) END)
    WHERE key NOT IN ('msg_type', 'sender', 'namespace', 'execution_id', 'run_id', 'timestamp', 'simulation_tick', 'message_id')), '')
  END AS text FROM workflow_messages;

-- The words of messages and of log lines with their level, without the texts themselves. Kept by blocks: a row at a time would cost twice as much.
CREATE VIRTUAL TABLE message_words USING fts5(text, content = '', contentless_delete = 1);
CREATE VIRTUAL TABLE log_words USING fts5(text, level, content = '', contentless_delete = 1);
-- Merging more at a time makes fewer of the merges that take long.
INSERT INTO message_words (message_words, rank) VALUES ('automerge', 8);
INSERT INTO log_words (log_words, rank) VALUES ('automerge', 8);

-- What is there already.
INSERT INTO message_words (rowid, text)
  SELECT seq, text FROM message_texts WHERE seq <= (SELECT max(seq) / 1024 * 1024 FROM workflow_messages);
INSERT INTO log_words (rowid, text, level)
  SELECT log_id, message, level FROM app_logs WHERE log_id <= (SELECT max(log_id) / 1024 * 1024 FROM app_logs);
INSERT INTO message_counts SELECT coalesce(execution_id, ''), message_type, count(*) FROM workflow_messages
  WHERE seq <= (SELECT max(seq) / 1024 * 1024 FROM workflow_messages) GROUP BY 1, 2;

-- What is pruned is neither found nor counted.
CREATE TRIGGER workflow_messages_pruned AFTER DELETE ON workflow_messages
WHEN NOT (OLD.${afterBlocks('workflow_messages', 'seq')}) BEGIN
  DELETE FROM message_words WHERE rowid = OLD.seq;
  UPDATE message_counts SET n = n - 1 WHERE execution_id = coalesce(OLD.execution_id, '') AND message_type = OLD.message_type;
  DELETE FROM message_counts WHERE execution_id = coalesce(OLD.execution_id, '') AND message_type = OLD.message_type AND n = 0;
END;
CREATE TRIGGER app_logs_pruned AFTER DELETE ON app_logs BEGIN
  DELETE FROM log_words WHERE rowid = OLD.log_id;
END;
${noteBlocks(
  'workflow_messages',
  'seq',
  'sent_at',
  `
  INSERT INTO message_words (rowid, text) SELECT seq, text FROM message_texts
    WHERE ${afterBlocks('workflow_messages', 'seq')} AND seq <= NEW.seq;
  INSERT INTO message_counts SELECT coalesce(execution_id, ''), message_type, count(*) FROM workflow_messages
    WHERE ${afterBlocks('workflow_messages', 'seq')} AND seq <= NEW.seq GROUP BY 1, 2
    ON CONFLICT DO UPDATE SET n = n + excluded.n;`,
)}
${noteBlocks(
  'app_logs',
  'log_id',
  'timestamp',
  `
  INSERT INTO log_words (rowid, text, level) SELECT log_id, message, level FROM app_logs
    WHERE ${afterBlocks('app_logs', 'log_id')} AND log_id <= NEW.log_id;`,
)}
${noteBlocks('stf_files', 'seq', 'created_at')}
${noteBlocks('fastmon_files', 'seq', 'created_at')}
${noteBlocks('tf_slices', 'seq', 'created_at')}
-- Few lines are warnings or errors, few files fail, and few agents are at work.
CREATE INDEX app_logs_warnings ON app_logs (log_id) WHERE level >= 30;
CREATE INDEX app_logs_errors ON app_logs (log_id) WHERE level >= 40;
CREATE INDEX stf_files_failed ON stf_files (seq) WHERE status = 'failed';
CREATE INDEX system_agents_present ON system_agents (seq) WHERE state <> 'EXITED';
`,
};
