import type { Migration } from './migration.ts';

export const accessPaths: Migration = {
  name: 'ways to what is asked for across executions',
  sql: `
CREATE INDEX workflow_messages_agent ON workflow_messages (sender_agent, seq);
-- Few messages are of these types or are refused, and few slices stay failed: these cost nothing while all goes well.
CREATE INDEX workflow_messages_seldom ON workflow_messages (message_type, seq) WHERE message_type NOT IN ('stf_gen', 'stf_ready', 'tf_file_registered', 'slice', 'slice_started', 'slice_result');
CREATE INDEX workflow_messages_without_effect ON workflow_messages (effect, seq) WHERE effect <> 'applied';
CREATE INDEX tf_slices_failed ON tf_slices (seq) WHERE status = 'failed';
`,
};
