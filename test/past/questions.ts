import type { Queries } from '../../src/db/queries.ts';
import { findTool, tools } from '../../src/tools/index.ts';
import { callTool } from '../../src/tools/run-tool.ts';
import type { LiveContext } from '../../src/tools/shared/tool.ts';
import type { Answer } from '../helpers.ts';

/** A question to a tool that can be asked about any moment. */
export type Question = [tool: string, args: Record<string, unknown>];

/** At least one question to each tool, about one execution and about all. */
export const questionsAbout = (execution_id: string, filename: string): Question[] => [
  ['get_workflow_monitor', { execution_id }],
  ['get_execution_timeline', { execution_id }],
  ['shift_report', { start_time: '-1h' }],
  ['list_workflow_executions', {}],
  ['list_messages', { limit: 20 }],
  ['list_messages', { execution_id, order: 'oldest', limit: 20, message_type: 'slice_result' }],
  ['list_messages', { search: 'slice', limit: 5 }],
  ['list_logs', { limit: 20 }],
  ['list_stf_files', { limit: 20 }],
  ['list_tf_files', { execution_id, limit: 20 }],
  ['list_tf_slices', { limit: 20 }],
  ['list_tf_slices', { execution_id, status: 'failed' }],
  ['list_agents', { include_exited: true }],
  ['summarize', { what: 'slices', group_by: 'status', execution_id }],
  ['summarize', { what: 'messages', group_by: 'message_type' }],
  ['audit_execution', { execution_id }],
  ['compare_executions', { execution_id, with_execution_id: 'latest' }],
  ['trace_data_product', { filename }],
];

export const contextOf = (queries: Queries, now: number, past: LiveContext['past']): LiveContext => ({
  queries: () => queries,
  past,
  held: (ask) => ask(queries),
  now: () => now,
  signal: new AbortController().signal,
  progress: () => {},
  control: undefined,
  services: () => Promise.reject(new Error('no machine is asked about')),
  caller: () => 'test',
});

/** For questions about the present. */
export const noPast: LiveContext['past'] = () => Promise.reject(new Error('the present is asked about'));

/** An answer, or the error in place of it. */
export async function answerTo([tool, args]: Question, context: LiveContext): Promise<unknown> {
  try {
    return await callTool(findTool(tools, tool), args, context);
  } catch (error) {
    return { error: (error as Error).message.replace(/ \(as of .*\)$/, '') };
  }
}

/** Fields that name the moment itself: an answer given then has `data_as_of` instead. A cursor contains the moment. */
const ofMoment = new Set(['data_as_of', 'as_of', 'next_cursor']);

/** An answer without the fields that show when it was requested. */
export const comparable = (answer: unknown): unknown =>
  Object.fromEntries(Object.entries(answer as Answer).filter(([name]) => !ofMoment.has(name)));

/** Fields of agents that are known only to the minute. */
const ofBeats = new Set(['last_heartbeat', 'heartbeat_age_seconds']);

/** The same without the times of single heartbeats, and states of agents that last less than a minute: these are not kept. */
export const settled = (answer: unknown): unknown =>
  JSON.parse(
    JSON.stringify(comparable(answer), (name, value: unknown) =>
      ofBeats.has(name) ? undefined : value === 'STARTING' || value === 'PROCESSING' ? 'READY' : value,
    ),
  );
