import type { Migration } from './migration.ts';

/** Notes the blocks of rows that are there already. */
const noteBlocks = (table: string, key: string, time: string): string => `
INSERT INTO time_blocks SELECT '${table}', (${key} - 1) / 1024, min(${time}), max(${time}) FROM ${table}
  WHERE ${key} <= (SELECT max(${key}) / 1024 * 1024 FROM ${table}) GROUP BY 2;`;

/** Made anew by step 7: stores exist whose view was made before it took parameters that are no objects. */
export const messageTexts = `
-- What can be searched of a message: its id and what its body says, without the envelope, which has filters of its own. Of
-- run_workflow only what may be shown.
CREATE VIEW message_texts AS SELECT seq, message_id || ' ' ||
  CASE WHEN NOT json_valid(payload) THEN payload ELSE coalesce((
    SELECT group_concat(value, ' ') FROM json_each(
      CASE WHEN message_type <> 'run_workflow' THEN payload ELSE json_set(payload, '$.params', json_object(
        'workflow', json_remove(payload -> '$.params.workflow', '$.includes'),
        'fast_processing', payload -> '$.params.fast_processing',
        'fastmon', payload -> '$.params.fastmon',
        'daq_state_machine', payload -> '$.params.daq_state_machine')) END)
    WHERE coalesce(key, '') NOT IN ('msg_type', 'sender', 'namespace', 'execution_id', 'run_id', 'timestamp', 'simulation_tick', 'message_id')), '')
  END AS text FROM workflow_messages;`;

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

${messageTexts}
CREATE VIEW log_texts AS SELECT log_id, message AS text, level FROM app_logs;

-- The words of messages and of log lines with their level, without the texts themselves. Kept by blocks: a row at a time would
-- cost twice as much.
CREATE VIRTUAL TABLE message_words USING fts5(text, content = '', contentless_delete = 1);
CREATE VIRTUAL TABLE log_words USING fts5(text, level, content = '', contentless_delete = 1);
-- Merging more at a time makes fewer of the merges that take long.
INSERT INTO message_words (message_words, rank) VALUES ('automerge', 8);
INSERT INTO log_words (log_words, rank) VALUES ('automerge', 8);

-- What is there already.
INSERT INTO message_words (rowid, text)
  SELECT seq, text FROM message_texts WHERE seq <= (SELECT max(seq) / 1024 * 1024 FROM workflow_messages);
INSERT INTO log_words (rowid, text, level)
  SELECT log_id, text, level FROM log_texts WHERE log_id <= (SELECT max(log_id) / 1024 * 1024 FROM app_logs);
INSERT INTO message_counts SELECT coalesce(execution_id, ''), message_type, count(*) FROM workflow_messages
  WHERE seq <= (SELECT max(seq) / 1024 * 1024 FROM workflow_messages) GROUP BY 1, 2;
${noteBlocks('workflow_messages', 'seq', 'sent_at')}
${noteBlocks('app_logs', 'log_id', 'timestamp')}
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
