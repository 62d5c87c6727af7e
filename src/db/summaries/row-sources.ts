import type { TimeField } from '../../domain/list-words.ts';
import type { Summarized, SummaryKey } from '../../domain/summary-words.ts';
import { logLevels } from '../../lib/logger.ts';
import { levelName } from '../migrations/documented-views.ts';
import { isoTime, milliseconds } from '../migrations/message-columns.ts';
import { nameOf, numberOf } from '../migrations/names.ts';

/** A key of rows as SQL: the column to group by, and the value to show for a group. */
interface KeySql {
  by: string;
  /** Made from `by`; omitted if `by` itself is shown. */
  told?: (by: string) => string;
}

/** A time of rows as SQL, in ISO 8601 or in milliseconds since 1970. */
interface TimeSql {
  column: string;
  isMilliseconds?: true;
}

/** Rows of a table that can be summed. */
export interface RowSource {
  table: string;
  /** The column of the order of recording. */
  key: string;
  keys: Partial<Record<Exclude<SummaryKey, 'minute' | 'hour' | 'day'>, KeySql>>;
  times: Partial<Record<TimeField, TimeSql>>;
  /** As SQL: the index of the rows of an execution, and conditions with one value each. */
  index?: string;
  isOfExecution: string;
  isOfNamespace?: string;
  hasStatus?: string;
  /** As SQL, per row. */
  failed?: string;
  retries?: string;
  bytes?: string;
  /** Slices of the row, and how many stay failed. */
  slices?: string;
  stayFailed?: string;
  seconds?: string;
  /** Whether blocks note times, so that the rows of a window can be found. */
  hasBlocks: boolean;
}

const namespaceOf = `(SELECT namespace FROM workflow_executions AS e WHERE e.execution_id = t.execution_id)`;

const secondsBetween = (from: string, to: string): string =>
  `max(0, ${milliseconds(to)} - ${milliseconds(from)}) / 1000.0`;

export const rowSources: Record<Exclude<Summarized, 'slices'>, RowSource> = {
  stf_files: {
    table: 'stf_files',
    key: 'seq',
    keys: {
      status: { by: 'status' },
      has_slices: { by: `iif(slice_count > 0, 'yes', 'no')` },
      execution_id: { by: 'execution_id' },
      namespace: { by: namespaceOf },
    },
    times: { created: { column: 'created_at' }, completed: { column: 'processed_at' } },
    index: 'stf_files_execution',
    isOfExecution: 'execution_id = ?',
    isOfNamespace: `${namespaceOf} = ?`,
    hasStatus: 'status = ?',
    failed: `status = 'failed'`,
    bytes: 'coalesce(size_bytes, 0)',
    seconds: `iif(processed_at IS NULL, NULL, ${secondsBetween('created_at', 'processed_at')})`,
    hasBlocks: true,
  },
  messages: {
    table: 'message_rows',
    key: 'seq',
    keys: {
      message_type: { by: 'type_no', told: nameOf },
      agent: { by: 'sender_no', told: nameOf },
      status: { by: 'effect' },
      execution_id: { by: 'execution_no', told: nameOf },
      namespace: { by: 'namespace_no', told: nameOf },
    },
    times: { created: { column: 'sent_ms', isMilliseconds: true } },
    index: 'message_rows_execution',
    isOfExecution: `execution_no = ${numberOf('?')}`,
    isOfNamespace: `namespace_no = ${numberOf('?')}`,
    hasStatus: 'effect = ?',
    failed: `effect IN ('rejected', 'conflict')`,
    bytes: 'octet_length(body)',
    hasBlocks: true,
  },
  logs: {
    table: 'app_logs',
    key: 'log_id',
    keys: {
      level: { by: 'level', told: levelName },
      agent: { by: 'agent' },
      cause: { by: 'substr(message, 1, 1000)' },
      execution_id: { by: 'execution_id' },
    },
    times: { created: { column: 'timestamp' } },
    index: 'app_logs_execution',
    isOfExecution: 'execution_id = ?',
    failed: `level >= ${logLevels.ERROR}`,
    hasBlocks: true,
  },
  executions: {
    table: 'workflow_executions',
    key: 'seq',
    keys: {
      status: { by: 'status' },
      cause: { by: 'status_reason' },
      execution_id: { by: 'execution_id' },
      namespace: { by: 'namespace' },
    },
    times: { created: { column: 'start_time' }, started: { column: 'start_time' }, completed: { column: 'end_time' } },
    isOfExecution: 'execution_id = ?',
    isOfNamespace: 'namespace = ?',
    hasStatus: 'status = ?',
    failed: `status = 'failed'`,
    retries: '(SELECT slice_retries FROM run_states AS s WHERE s.execution_id = t.execution_id)',
    slices: '(SELECT slices_created FROM run_states AS s WHERE s.execution_id = t.execution_id)',
    stayFailed: '(SELECT slices_exhausted FROM run_states AS s WHERE s.execution_id = t.execution_id)',
    bytes: '(SELECT dataset_bytes FROM runs AS r WHERE r.execution_id = t.execution_id)',
    seconds: `iif(end_time IS NULL, NULL, ${secondsBetween('start_time', 'end_time')})`,
    hasBlocks: false,
  },
};

/** As SQL: a time of rows in ISO 8601. */
export const isoOf = ({ column, isMilliseconds }: TimeSql): string =>
  isMilliseconds === true ? isoTime(column) : column;

/** As SQL: a bound time, which is ISO 8601, in the form of a time of rows. */
export const instantOf = ({ isMilliseconds }: TimeSql): string => (isMilliseconds === true ? milliseconds('?') : '?');
