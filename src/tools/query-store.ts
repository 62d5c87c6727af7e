import * as z from 'zod';

import { boolean, float, object, optionalString, string, strings } from '../domain/fields.ts';
import { present } from '../lib/present.ts';
import { defineLiveTool, requiredText } from './shared/tool.ts';

export const queryStoreTool = defineLiveTool({
  name: 'query_store',
  title: 'Query in SQL',
  description:
    'One SELECT (SQLite) for questions that no other tool answers, over these views. v_executions(execution_id run_number namespace status phase executed_by ' +
    'start_time end_time duration_seconds stf_count slices_created slices_completed slices_failed retries bytes), v_stf_files(stf_filename execution_id sequence status size_bytes ' +
    'tf_count slice_count created_at processed_at), v_tf_files, v_slices(slice_filename slice_id tf_filename stf_filename execution_id tf_first tf_last status retries assigned_worker ' +
    'created_at assigned_at completed_at seconds error), v_attempts(slice_filename attempt execution_id state worker_id hostname queued_at started_at completed_at seconds error exit_code), ' +
    'v_messages(seq message_id message_type sender_agent execution_id sent_at effect payload), v_logs(timestamp level agent message execution_id), v_agents, v_notes, v_quality, v_alarms. ' +
    'Times are ISO 8601 text, UTC. Filter by execution_id where you can. Time limit: 2 s.',
  takesLong: () => true,
  input: () => ({ sql: requiredText('One SELECT over the views', 10_000) }),
  output: () =>
    object({
      columns: strings,
      rows: z.array(z.array(z.union([string, float, z.null()]))).describe('At most 200 rows and 10 KB'),
      truncated: boolean.describe('There is more: aggregate, or use LIMIT and WHERE'),
      data_as_of: optionalString,
    }),
  async perform({ sql }, { queries, signal }) {
    const { columns, rows, truncated } = await queries().askSql(sql, signal);
    return present({ columns, rows, truncated, data_as_of: queries().dataAsOf() });
  },
});
