import { messageTexts } from './006-blocks-and-words.ts';
import type { Migration } from './migration.ts';

export const totalsAndNamespaces: Migration = {
  name: 'messages of each type and of each namespace, noted for many rows at once; slices that wait',
  sql: `
DROP VIEW message_texts;
${messageTexts}

-- How many messages of each type there are, in all blocks together.
CREATE TABLE message_totals (message_type TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- The blocks that have messages of a namespace: from one to the next there may be millions of others.
CREATE TABLE message_namespaces (
  namespace TEXT NOT NULL,
  block INTEGER NOT NULL,
  PRIMARY KEY (namespace, block)
) STRICT, WITHOUT ROWID;

-- What is there already, as far as step 6 and its program have noted it.
INSERT INTO message_totals SELECT message_type, sum(n) FROM message_counts GROUP BY 1;
INSERT INTO message_namespaces SELECT DISTINCT namespace, (seq - 1) / 1024 FROM workflow_messages
  WHERE seq <= (SELECT (max(block) + 1) * 1024 FROM time_blocks WHERE table_name = 'workflow_messages') AND namespace IS NOT NULL;

-- Slices that nobody has yet need no place among those of the workers: without one a slice is moved once and not twice.
DROP INDEX tf_slices_worker;
CREATE INDEX tf_slices_worker ON tf_slices (assigned_worker, seq) WHERE assigned_worker IS NOT NULL;

-- Few messages are without effect, and few slices wait or are in work.
CREATE INDEX workflow_messages_fruitless ON workflow_messages (execution_id, seq) WHERE effect <> 'applied';
CREATE INDEX tf_slices_pending ON tf_slices (status, seq) WHERE status IN ('queued', 'processing');
`,
};
