import type { Migration } from './migration.ts';

export const accessPaths: Migration = {
  name: 'ways to what is asked for across executions',
  sql: `
CREATE INDEX workflow_messages_agent ON workflow_messages (sender_agent, seq);
CREATE INDEX workflow_messages_of_type ON workflow_messages (message_type, seq);
-- Few messages are refused and few slices stay failed: these cost nothing while all goes well.
CREATE INDEX workflow_messages_without_effect ON workflow_messages (effect, seq) WHERE effect <> 'applied';
CREATE INDEX tf_slices_failed ON tf_slices (seq) WHERE status = 'failed';
`,
};
