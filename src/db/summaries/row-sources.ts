import type { TimeField, Span, Summarized, SummaryKey } from '../../domain/summary-words.ts';
import { logLevels } from '../../lib/logger.ts';
import { isFailedStf, knownBytes, knownRetries, levelName } from '../migrations/documented-views.ts';
import { milliseconds } from '../migrations/message-columns.ts';
import { nameOf, numberOf } from '../migrations/names.ts';

type Key = Exclude<SummaryKey, Span>;

/** A table whose rows can be summarized. */
export interface RowSource {
  table: string;
  /** The column that gives the recording order. */
  key: string;
  /** As SQL: the columns by which to group. */
  keys: Partial<Record<Key, string>>;
  /**
   * As SQL: the value to show for a group, computed from its column; absent if the column itself is shown.
   */
  told?: Partial<Record<Key, (by: string) => string>>;
  /** Columns with times, in ISO 8601 or in milliseconds since 1970. */
  times: Partial<Record<TimeField, string>>;
  isMilliseconds?: true;
  /** As SQL: the index for an execution's rows, and conditions with one parameter each. */
  index?: string;
  isOfExecution: string;
  isOfNamespace?: string;
  hasStatus?: string;
  /** As SQL, per row: whether it failed, and its other figures. */
  failed?: string;
  retries?: string;
  bytes?: string;
  /** As SQL: the number of a row's slices, and the number of these that failed permanently. */
  slices?: string;
  stayFailed?: string;
  seconds?: string;
  /** Whether times are noted for blocks of rows, so that the rows in a window can be found. */
  hasBlocks: boolean;
}

const namespaceOf = `(SELECT namespace FROM workflow_executions AS e WHERE e.execution_id = t.execution_id)`;

const hasSlices = `iif(slice_count > 0, 'yes', 'no')`;

const secondsBetween = (from: string, to: string) => `max(0, ${milliseconds(to)} - ${milliseconds(from)}) / 1000.0`;

export const rowSources: Record<Exclude<Summarized, 'slices'>, RowSource> = {
  stf_files: {
    table: 'stf_files',
    key: 'seq',
    keys: { status: 'status', has_slices: hasSlices, execution_id: 'execution_id', namespace: namespaceOf },
    times: { created: 'created_at', completed: 'processed_at' },
    index: 'stf_files_execution',
    isOfExecution: 'execution_id = ?',
    isOfNamespace: `${namespaceOf} = ?`,
    hasStatus: 'status = ?',
    failed: isFailedStf('t'),
    bytes: 'size_bytes',
    seconds: `iif(processed_at IS NULL, NULL, ${secondsBetween('created_at', 'processed_at')})`,
    hasBlocks: true,
  },
  messages: {
    table: 'message_rows',
    key: 'seq',
    keys: {
      message_type: 'type_no',
      agent: 'sender_no',
      status: 'effect',
      execution_id: 'execution_no',
      namespace: 'namespace_no',
    },
    told: { message_type: nameOf, agent: nameOf, execution_id: nameOf, namespace: nameOf },
    times: { created: 'sent_ms' },
    isMilliseconds: true,
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
    keys: { level: 'level', agent: 'agent', cause: 'substr(message, 1, 1000)', execution_id: 'execution_id' },
    told: { level: levelName },
    times: { created: 'timestamp' },
    index: 'app_logs_execution',
    isOfExecution: 'execution_id = ?',
    failed: `level >= ${logLevels.ERROR}`,
    hasBlocks: true,
  },
  executions: {
    table: 'workflow_executions',
    key: 'seq',
    keys: {
      status: 'status',
      cause: 'status_reason',
      execution_id: 'execution_id',
      namespace: 'namespace',
      person: 'executed_by',
    },
    times: { created: 'start_time', started: 'start_time', completed: 'end_time' },
    isOfExecution: 'execution_id = ?',
    isOfNamespace: 'namespace = ?',
    hasStatus: 'status = ?',
    failed: `status = 'failed'`,
    retries: `(SELECT ${knownRetries('t', 's')} FROM run_states AS s WHERE s.execution_id = t.execution_id)`,
    slices: '(SELECT slices_created FROM run_states AS s WHERE s.execution_id = t.execution_id)',
    stayFailed: '(SELECT slices_exhausted FROM run_states AS s WHERE s.execution_id = t.execution_id)',
    bytes: `(SELECT ${knownBytes('t')} FROM runs AS r WHERE r.execution_id = t.execution_id)`,
    seconds: `iif(end_time IS NULL, NULL, ${secondsBetween('start_time', 'end_time')})`,
    hasBlocks: false,
  },
};

/** As SQL: a bound ISO 8601 time, converted to the format of the rows' times. */
export const instantOf = ({ isMilliseconds }: RowSource) => (isMilliseconds === true ? milliseconds('?') : '?');
