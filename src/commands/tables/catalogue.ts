import type { ListName } from '../../domain/list-columns.ts';

export const outputs = ['table', 'wide', 'json', 'csv'] as const;

export type Output = (typeof outputs)[number];

/** A command that shows the rows of a tool as a table. */
export interface TableCommand {
  name: string;
  tool: ListName;
  about: string;
  /** The tool's argument that a user may give without its flag. */
  named?: { argument: string; word: string };
  /**
   * Rows to show if the user does not choose: those of the newest execution; all rows; or all rows and, if
   * there are none, those of the newest execution.
   */
  usual: 'newest' | 'all' | 'all, else newest';
  /** Queries whose rows are shown together, unless one of their arguments or `--all` is given. */
  parts?: readonly Readonly<Record<string, string>>[];
  columns: readonly string[];
  /** Additional columns of `-o wide`; columns in neither list come last. */
  wide: readonly string[];
}

const ofExecution = { argument: 'execution_id', word: 'EXECUTION_ID' };
const ofNewest = { named: ofExecution, usual: 'newest' } as const;

/** The commands that show tables, in the order in which the help lists them. To add a command, add an entry here. */
export const tableCommands: readonly TableCommand[] = [
  {
    name: 'list',
    tool: 'list_workflow_executions',
    about: 'list executions and their states',
    usual: 'all',
    columns: [
      'execution_id',
      'status',
      'stf_count',
      'slices_created',
      'slices_completed',
      'slices_failed',
      'retries',
      'quality',
      'start_time',
      'duration_seconds',
    ],
    wide: ['run_number', 'namespace', 'executed_by', 'speed', 'bytes', 'status_reason'],
  },
  {
    name: 'slices',
    tool: 'list_tf_slices',
    about: 'list TF slices: state, worker, retries, error',
    ...ofNewest,
    columns: ['slice_filename', 'status', 'retries', 'assigned_worker', 'seconds', 'completed_at', 'error'],
    wide: [
      'host',
      'created_at',
      'assigned_at',
      'tf_first',
      'tf_last',
      'payload',
      'exit_code',
      'signal',
      'outputs',
      'tf_filename',
      'execution_id',
    ],
  },
  {
    name: 'files',
    tool: 'list_stf_files',
    about: 'list STF files: state, size, and the samples and slices made from them',
    ...ofNewest,
    columns: [
      'stf_filename',
      'status',
      'tf_count',
      'size_bytes',
      'tf_file_count',
      'slice_count',
      'created_at',
      'processed_at',
    ],
    wide: ['sequence', 'checksum', 'execution_id'],
  },
  {
    name: 'samples',
    tool: 'list_tf_files',
    about: 'list TF samples: their frames, and the slices cut from them',
    ...ofNewest,
    columns: ['tf_filename', 'tf_first', 'tf_last', 'tf_count', 'size_bytes', 'slice_count', 'created_at'],
    wide: ['stf_filename', 'execution_id'],
  },
  {
    name: 'messages',
    tool: 'list_messages',
    about: 'list messages: who sent what, and what effect it had',
    ...ofNewest,
    columns: ['sent_at', 'message_type', 'sender_agent', 'effect', 'body'],
    wide: ['message_id', 'destination', 'effect_reason', 'execution_id'],
  },
  {
    name: 'logs',
    tool: 'list_logs',
    about: "list the agents' log lines; -f prints new ones as they arrive",
    ...ofNewest,
    columns: ['timestamp', 'level', 'agent', 'message'],
    wide: ['execution_id', 'context'],
  },
  {
    name: 'agents',
    tool: 'list_agents',
    about:
      'list live agents (or, if there are none, the agents of the newest execution) with their work and last heartbeat',
    named: ofExecution,
    usual: 'all, else newest',
    columns: [
      'agent_name',
      'state',
      'status',
      'last_heartbeat',
      'heartbeat_age_seconds',
      'off_duty',
      'current_execution_id',
    ],
    wide: ['agent_type', 'pid', 'hostname', 'namespace'],
  },
  {
    name: 'alarms',
    tool: 'list_alarms',
    about: 'list open alarms, unseen first; "alarms seen ID" marks one as seen',
    usual: 'all',
    parts: [{ state: 'raised' }, { state: 'seen' }],
    columns: ['raised_at', 'state', 'severity', 'code', 'subject', 'seen_by', 'sentence'],
    wide: ['alarm_id', 'count', 'seen_at', 'seen_text', 'cleared_at', 'execution_id'],
  },
];

/** For each tool, the command that calls it, in the form used in sentences. */
export const commandsByTool: ReadonlyMap<string, string> = new Map([
  ...tableCommands.map(({ name: command, tool }) => [tool, `"swf-mcp ${command}"`] as const),
  ['get_workflow_monitor', '"swf-mcp status"'],
  ['trace_data_product', '"swf-mcp trace"'],
]);
