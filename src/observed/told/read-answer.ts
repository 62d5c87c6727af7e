import { lackedBySlice } from '../reading/dialects.ts';
import { type Fields, idOf, objectOf } from '../reading/values.ts';
import type { MessageLine } from '../recording-lines.ts';
import { named, type Names, restLine } from './rest-call.ts';

/** The fields of an object that do not change, so that it is one row of the log however often it is read. */
const lasting = {
  'workflow-executions': [
    'execution_id',
    'workflow_definition',
    'namespace',
    'executed_by',
    'start_time',
    'parameter_values',
  ],
  'run-states': ['run_number'],
  'stf-files': ['stf_filename'],
  'fastmon-files': ['stf_file', 'stf_filename', 'tf_filename', 'tf_first', 'tf_last', 'tf_count'],
  'tf-slices': ['slice_id', 'tf_first', 'tf_last', 'tf_count', 'tf_filename', 'stf_filename', 'run_number'],
  'system-state-events': ['event_type', 'run_number', 'timestamp', 'event_data'],
} as const satisfies Record<string, readonly string[]>;

/** The resources of swf-monitor that are read. */
export type ReadResource = keyof typeof lasting;

/**
 * Converts an object of swf-monitor to rows of the log: its registration and, for an ended execution, its end.
 * @param at when it was read, ISO 8601 in UTC @param run_id the run that it was read for
 */
export function linesOfObject(resource: ReadResource, object: Fields, at: string, run_id?: string): MessageLine[] {
  const headers = named(run_id);
  const fields = lasting[resource].filter((field) => field in object);
  const body = Object.fromEntries(fields.map((field) => [field, object[field]]));
  const stated = { ...body, ...lastingMetadata(object), ...(resource === 'tf-slices' ? lackedBySlice(object) : {}) };
  const registration = restLine(timeOf(object, at), 'GET', `/api/${resource}/`, headers, stated);
  if (resource === 'workflow-executions') return [registration, ...endOf(object, headers, at)];
  return resource === 'stf-files' ? [registration, ...processedOf(object, headers, at)] : [registration];
}

/** The row of an STF file that its data agent has processed. */
function processedOf(object: Fields, headers: Names, at: string): MessageLine[] {
  const { stf_filename: name, status, file_id } = object;
  if (status !== 'processed' || typeof name !== 'string') return [];
  const body = { status, stf_filename: name };
  return [restLine(at, 'GET', `/api/stf-files/${idOf(file_id) ?? ''}/`, { ...headers, name }, body)];
}

function endOf(object: Fields, headers: Names, at: string): MessageLine[] {
  const [id, status] = [idOf(object['execution_id']), object['status']];
  if (id === undefined || status === 'running') return [];
  const body = { status, end_time: object['end_time'] ?? null };
  return [restLine(zoned(object['end_time'], at) ?? at, 'GET', `/api/workflow-executions/${id}/`, headers, body)];
}

/** The part of `metadata` that does not change. */
function lastingMetadata({ metadata }: Fields): Fields {
  const { execution_id, sequence } = objectOf(metadata);
  return execution_id === undefined && sequence === undefined ? {} : { metadata: { execution_id, sequence } };
}

/** When the monitor learned of an object, if it gives that with a zone; else when it was read. */
const timeOf = (object: Fields, at: string): string =>
  zoned(object['created_at'], at) ?? zoned(object['timestamp'], at) ?? zoned(object['start_time'], at) ?? at;

/** A time with a zone, at most the time of reading: if it is later, its zone is wrong. */
function zoned(time: unknown, at: string): string | undefined {
  if (typeof time !== 'string' || !/\d(?:Z|[+-]\d\d:?\d\d)$/.test(time)) return undefined;
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? undefined : new Date(Math.min(ms, Date.parse(at))).toISOString();
}
