import { fullId, numberOf } from './names.ts';

/** As SQL: summaries of blocks of rows in large tables, for finding and counting rows. */
export const noteTables = `-- Summaries of blocks of 512 rows. Block n has the rows from 512 n + 1 to 512 (n + 1).

-- The earliest and latest time of a block, and its number of rows: a query for a time window reads only the blocks that overlap it, and the rows of a
-- day are counted without reading each.
CREATE TABLE time_blocks (
  table_name TEXT NOT NULL,
  block INTEGER NOT NULL,
  earliest TEXT NOT NULL,
  latest TEXT NOT NULL,
  row_count INTEGER NOT NULL,
  PRIMARY KEY (table_name, block)
) STRICT, WITHOUT ROWID;

-- The number of messages of each type of an execution, in all blocks together; '' stands for no execution.
CREATE TABLE message_counts (
  execution_id TEXT NOT NULL,
  message_type TEXT NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (execution_id, message_type)
) STRICT, WITHOUT ROWID;

-- The number of messages of each type, in all blocks together.
CREATE TABLE message_totals (message_type TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- The blocks that contain messages of a namespace: between them there may be millions of others.
CREATE TABLE message_namespaces (
  namespace TEXT NOT NULL,
  block INTEGER NOT NULL,
  PRIMARY KEY (namespace, block)
) STRICT, WITHOUT ROWID;

-- The searchable text of a message: its id, and its body without the envelope, which has its own filters. For run_workflow, only the
-- part that may be shown.
CREATE VIEW message_texts AS SELECT seq, ${fullId('short_id')} || ' ' ||
  CASE WHEN NOT json_valid(body) THEN body ELSE coalesce((
    SELECT group_concat(value, ' ') FROM json_each(
      CASE WHEN type_no IS NOT ${numberOf("'run_workflow'")} THEN body ELSE json_set(body, '$.params', json_object(
        'workflow', json_remove(body -> '$.params.workflow', '$.includes'),
        'fast_processing', body -> '$.params.fast_processing',
        'fastmon', body -> '$.params.fastmon',
        'daq_state_machine', body -> '$.params.daq_state_machine')) END)
    WHERE coalesce(key, '') NOT IN ('msg_type', 'sender', 'namespace', 'execution_id', 'run_id', 'timestamp', 'simulation_tick', 'message_id')), '')
  END AS text FROM message_rows;
CREATE VIEW log_texts AS SELECT log_id, message AS text, level FROM app_logs;

-- The words of messages, and of log lines with their level, without the texts themselves, are in separate tables (FTS5): message_words_0 and
-- log_words_0 for the first 524,288 rows, message_words_1 for the next. They are updated by blocks: one row at a time would cost twice as much.
CREATE TABLE word_parts (table_name TEXT NOT NULL, part INTEGER NOT NULL, PRIMARY KEY (table_name, part)) STRICT, WITHOUT ROWID;

`;
