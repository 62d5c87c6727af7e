import { bodyOf } from '../../domain/shown.ts';
import { duration } from '../../lib/duration.ts';
import {
  column,
  name,
  namesOf,
  number,
  offDutyOf,
  seconds,
  shortError,
  shortLine,
  type ShownColumn,
  state,
  time,
} from './cells.ts';

export const outputs = ['table', 'wide', 'json', 'csv'] as const;

export type Output = (typeof outputs)[number];

/** A command that shows the rows of a tool as a table. */
export interface TableCommand {
  name: string;
  tool: string;
  about: string;
  /** The argument of the tool that may be given without its flag. */
  named?: { argument: string; word: string };
  /** Rows to show if the user names no rows: of the newest execution, all, or all, else the newest. */
  usual: 'newest' | 'all' | 'all, else newest';
  /** Questions whose rows are shown together, unless one of their arguments or `--all` is given. */
  parts?: readonly Readonly<Record<string, string>>[];
  columns: readonly ShownColumn[];
  /** Additional columns of `-o wide`. */
  wide: readonly ShownColumn[];
}

const ofExecution = { argument: 'execution_id', word: 'EXECUTION_ID' };
const ofNewest = { named: ofExecution, usual: 'newest' } as const;

/** The commands that show tables, in the order of the help. To add a command, add an entry here. */
export const tableCommands: readonly TableCommand[] = [
  {
    name: 'list',
    tool: 'list_workflow_executions',
    about: 'executions and their state',
    usual: 'all',
    columns: [
      name('EXECUTION', 'execution_id'),
      state('STATUS', 'status'),
      state('HEALTH', 'health'),
      number('STFS', 'stf_count', { drop: 4 }),
      number('SLICES', 'slices_created', { drop: 1 }),
      number('DONE', 'slices_completed'),
      number('FAILED', 'slices_failed'),
      number('RETRIES', 'retries', { drop: 5 }),
      state('QUALITY', 'quality', { drop: 6 }),
      time('STARTED', 'start_time', { drop: 3 }),
      {
        ...seconds('TOOK', 'duration_seconds', { drop: 2 }),
        of: ({ duration_seconds: took, silent_seconds: silent }) =>
          typeof silent === 'number' ? `silent ${duration(silent)}` : duration(took as number),
      },
    ],
    wide: [
      number('RUN', 'run_number'),
      column('NAMESPACE', 'namespace'),
      column('BY', 'executed_by'),
      column('SPEED', 'speed'),
      number('BYTES', 'bytes'),
      column('REASON', 'status_reason'),
    ],
  },
  {
    name: 'slices',
    tool: 'list_tf_slices',
    about: 'TF slices: state, worker, retries, error',
    ...ofNewest,
    columns: [
      name('SLICE', 'slice_filename'),
      state('STATUS', 'status'),
      number('RETRIES', 'retries', { drop: 3 }),
      name('WORKER', 'assigned_worker', { drop: 2 }),
      seconds('TOOK', 'seconds', { drop: 1 }),
      time('COMPLETED', 'completed_at', { drop: 4 }),
      column('ERROR', 'error', { isWrapped: true, least: 40, shorten: shortError }),
    ],
    wide: [
      column('HOST', 'host'),
      time('CREATED', 'created_at'),
      time('STARTED', 'assigned_at'),
      number('FROM', 'tf_first'),
      number('TO', 'tf_last'),
      column('PAYLOAD', 'payload'),
      number('EXIT', 'exit_code'),
      column('SIGNAL', 'signal'),
      { head: 'OUTPUTS', of: ({ outputs: files }) => namesOf(files) },
      name('TF FILE', 'tf_filename'),
      name('EXECUTION', 'execution_id'),
    ],
  },
  {
    name: 'files',
    tool: 'list_stf_files',
    about: 'STF files: state, size, samples and slices made of them',
    ...ofNewest,
    columns: [
      name('STF FILE', 'stf_filename'),
      state('STATUS', 'status'),
      number('FRAMES', 'tf_count', { drop: 4 }),
      number('BYTES', 'size_bytes', { drop: 3 }),
      number('SAMPLES', 'tf_file_count'),
      number('SLICES', 'slice_count'),
      time('CREATED', 'created_at', { drop: 1 }),
      time('PROCESSED', 'processed_at', { drop: 2 }),
    ],
    wide: [number('NUMBER', 'sequence'), column('CHECKSUM', 'checksum'), name('EXECUTION', 'execution_id')],
  },
  {
    name: 'samples',
    tool: 'list_tf_files',
    about: 'TF samples: their frames, and the slices cut from them',
    ...ofNewest,
    columns: [
      name('TF FILE', 'tf_filename'),
      number('FROM', 'tf_first'),
      number('TO', 'tf_last'),
      number('FRAMES', 'tf_count', { drop: 3 }),
      number('BYTES', 'size_bytes', { drop: 2 }),
      number('SLICES', 'slice_count'),
      time('CREATED', 'created_at', { drop: 1 }),
    ],
    wide: [name('STF FILE', 'stf_filename'), name('EXECUTION', 'execution_id')],
  },
  {
    name: 'messages',
    tool: 'list_messages',
    about: 'messages: who sent what, and with what effect',
    ...ofNewest,
    columns: [
      time('SENT', 'sent_at'),
      column('TYPE', 'message_type'),
      name('SENDER', 'sender_agent', { drop: 1 }),
      state('EFFECT', 'effect', { drop: 2 }),
      { head: 'SAYS', of: ({ body, payload }) => bodyOf(body ?? payload), least: 44, isWrapped: true },
    ],
    wide: [
      name('MESSAGE ID', 'message_id'),
      column('DESTINATION', 'destination'),
      column('REASON', 'effect_reason'),
      name('EXECUTION', 'execution_id'),
    ],
  },
  {
    name: 'logs',
    tool: 'list_logs',
    about: 'log lines of agents; -f follows',
    ...ofNewest,
    columns: [
      time('TIME', 'timestamp'),
      state('LEVEL', 'level'),
      name('AGENT', 'agent', { drop: 1 }),
      column('MESSAGE', 'message', { isWrapped: true, least: 30, shorten: shortLine }),
    ],
    wide: [name('EXECUTION', 'execution_id'), column('CONTEXT', 'context')],
  },
  {
    name: 'agents',
    tool: 'list_agents',
    about: 'living agents, or those of the newest execution: their work, and when they were last heard',
    named: ofExecution,
    usual: 'all, else newest',
    columns: [
      name('AGENT', 'agent_name'),
      state('STATE', 'state'),
      state('STATUS', 'status'),
      time('LAST HEARD', 'last_heartbeat', { drop: 2 }),
      seconds('AGO', 'heartbeat_age_seconds'),
      { head: 'OFF DUTY', of: offDutyOf },
      name('EXECUTION', 'current_execution_id', { drop: 1 }),
    ],
    wide: [
      column('TYPE', 'agent_type'),
      number('PID', 'pid'),
      column('HOST', 'hostname'),
      column('NAMESPACE', 'namespace'),
    ],
  },
  {
    name: 'alarms',
    tool: 'list_alarms',
    about: 'alarms that are not over, unseen ones first; "alarms seen ID" marks one as seen',
    usual: 'all',
    parts: [{ state: 'raised' }, { state: 'seen' }],
    columns: [
      time('RAISED', 'raised_at', { drop: 1 }),
      state('STATE', 'state', { drop: 2 }),
      state('SEVERITY', 'severity', { drop: 3 }),
      column('CODE', 'code'),
      name('SUBJECT', 'subject'),
      column('SEEN BY', 'seen_by', { drop: 4 }),
      column('SAYS', 'sentence', { isWrapped: true, least: 30 }),
    ],
    wide: [
      name('ALARM', 'alarm_id'),
      number('COUNT', 'count'),
      time('SEEN', 'seen_at'),
      column('SAID', 'seen_text'),
      time('OVER', 'cleared_at'),
      name('EXECUTION', 'execution_id'),
    ],
  },
];

/** The commands that ask tools, as a sentence names them. */
export const commandsByTool: ReadonlyMap<string, string> = new Map([
  ...tableCommands.map(({ name: command, tool }) => [tool, `"swf-mcp ${command}"`] as const),
  ['get_workflow_monitor', '"swf-mcp status"'],
  ['trace_data_product', '"swf-mcp trace"'],
]);
