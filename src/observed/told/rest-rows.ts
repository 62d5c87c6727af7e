import { maskValue } from '../body.ts';
import { lackedBySlice, registeredSlice } from '../reading/dialects.ts';
import { type Fields, idOf, objectOf } from '../reading/values.ts';
import type { MessageLine, RestLine } from '../recording-lines.ts';
import { named, type Names, resourceOf, restLine, wasTaken, writes } from './rest-call.ts';

/** Resources whose writes state no fact about a workflow: generated numbers, heartbeats, log lines. */
const noFacts: ReadonlySet<string> = new Set(['state', 'namespaces', 'systemagents', 'subscribers', 'logs', 'sse']);

/** The field of an answer that contains the id of an object. */
const idFields: Readonly<Record<string, string>> = {
  'stf-files': 'file_id',
  'fastmon-files': 'tf_file_id',
  runs: 'run_id',
};

/**
 * Converts the calls of one recording, in order, to rows of the log; a call that reports nothing becomes
 * undefined. The numbers that a monitor assigns to its objects cannot serve as names, since a newly installed
 * monitor starts numbering again, but the calls show which object has which number.
 */
export function createReferences(): (call: RestLine) => MessageLine | undefined {
  /**
   * The names of objects by resource and id. An execution has the names of its run, and an STF file is also
   * known by its own name.
   */
  const known = new Map<string, Names>();
  const runOf = (key: string) => known.get(key)?.['run_id'];
  const namesOf = (resource: string, body: Fields): Names => {
    switch (resource) {
      case 'runs':
      case 'run-states':
      case 'system-state-events':
        return named(idOf(body['run_number']));
      case 'stf-files': {
        const run = idOf(body['run']) ?? '';
        return named(runOf(`runs ${run}`) ?? run, idOf(body['stf_filename']));
      }
      case 'fastmon-files':
        return named(runOf(`stf ${idOf(body['stf_file']) ?? ''}`), idOf(body['tf_filename']));
      case 'tf-slices':
        return named(idOf(body['run_number']), registeredSlice(body)?.slice_filename);
      default:
        return {};
    }
  };
  const learn = (key: string, id: unknown, names: Names) => {
    const text = idOf(id);
    if (text !== undefined) known.set(`${key} ${text}`, names);
    return names;
  };
  const changed = (resource: string, id: string) =>
    resource === 'run-states' ? named(id) : (known.get(`${resource} ${id}`) ?? {});
  const registered = (resource: string, body: Fields, answer: Fields) => {
    const names = learn(resource, answer[idFields[resource] ?? 'id'], namesOf(resource, body));
    if (resource === 'stf-files') learn('stf', body['stf_filename'], names);
    if (resource === 'run-states') learn('workflow-executions', objectOf(body['metadata'])['execution_id'], names);
    return names;
  };
  return ({ t, method, path, status, body, answer }) => {
    const { resource, id } = resourceOf(path);
    if (!writes.has(method) || !wasTaken(status) || resource === '' || noFacts.has(resource)) return undefined;
    const isChange = id !== undefined && method !== 'POST';
    const headers = isChange ? changed(resource, id) : registered(resource, objectOf(body), objectOf(answer));
    return restLine(t, method, path, headers, maskValue(body ?? {}));
  };
}

/**
 * The fields of an object that do not change, so that the object is one row of the log no matter how often it
 * is read.
 */
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
  runs: ['run_number'],
  'stf-files': ['stf_filename'],
  'fastmon-files': ['stf_file', 'stf_filename', 'tf_filename', 'tf_first', 'tf_last', 'tf_count'],
  'tf-slices': ['slice_id', 'tf_first', 'tf_last', 'tf_count', 'tf_filename', 'stf_filename', 'run_number'],
  'system-state-events': ['event_type', 'run_number', 'timestamp', 'event_data'],
} as const satisfies Record<string, readonly string[]>;

export type ReadResource = keyof typeof lasting;

/**
 * Converts an object from swf-monitor to rows of the log: its registration and, for an ended execution, its
 * end.
 * @param at when it was read, ISO 8601 in UTC
 * @param run_id the run for which it was read
 */
export function linesOfObject(resource: ReadResource, object: Fields, at: string, run_id?: string): MessageLine[] {
  const headers = named(run_id);
  const fields = lasting[resource].filter((field) => field in object);
  const body = Object.fromEntries(fields.map((field) => [field, object[field]]));
  const stated = { ...body, ...lastingMetadata(object), ...(resource === 'tf-slices' ? lackedBySlice(object) : {}) };
  const registration = restLine(timeOf(object, at), 'GET', `/api/${resource}/`, headers, stated);
  return [registration, ...(changes[resource]?.(object, headers, at) ?? [])];
}

/** The rows for changes to an object since its registration. */
const changes: Partial<Record<ReadResource, (object: Fields, headers: Names, at: string) => MessageLine[]>> = {
  'workflow-executions': endOf,
  'stf-files': processedOf,
  runs: ({ run_id, end_time = null }, headers, at) =>
    end_time === null ? [] : [restLine(at, 'GET', `/api/runs/${idOf(run_id) ?? ''}/`, headers, { end_time })],
};

/** The row for an STF file that its data agent has processed, or that has jobs in PanDA. */
function processedOf(object: Fields, headers: Names, at: string): MessageLine[] {
  const { stf_filename: name, status, file_id } = object;
  const jobs = lastingJobs(objectOf(object['metadata']));
  if (typeof name !== 'string' || (status !== 'processed' && jobs === undefined)) return [];
  const body = { status, stf_filename: name, ...jobs };
  return [restLine(at, 'GET', `/api/stf-files/${idOf(file_id) ?? ''}/`, { ...headers, name }, body)];
}

/**
 * The state of a file as the prompt processing agent records it, without the times of its queries to PanDA;
 * undefined if nothing is recorded.
 */
function lastingJobs(metadata: Fields) {
  const noted = Object.entries(metadata).filter(([key]) => key.startsWith('panda_') && !key.endsWith('_polled_at'));
  if (noted.length === 0) return undefined;
  const { processed_by } = metadata;
  const text = JSON.stringify({ processed_by, ...Object.fromEntries(noted) }, (key, value: unknown) =>
    key === 'polled_at' ? undefined : value,
  );
  return { metadata: JSON.parse(text) as Fields };
}

function endOf(object: Fields, headers: Names, at: string): MessageLine[] {
  const id = idOf(object['execution_id']);
  const { status } = object;
  if (id === undefined || status === 'running') return [];
  const body = { status, end_time: object['end_time'] ?? null };
  return [restLine(zoned(object['end_time'], at) ?? at, 'GET', `/api/workflow-executions/${id}/`, headers, body)];
}

function lastingMetadata({ metadata }: Fields): Fields {
  const { execution_id, sequence, decision_box_selected_sites } = objectOf(metadata);
  const lasts = { execution_id, sequence, decision_box_selected_sites };
  return Object.values(lasts).every((value) => value === undefined) ? {} : { metadata: lasts };
}

/**
 * When the monitor received an object, if the object states that time with a time zone; otherwise, when the
 * object was read.
 */
const timeOf = (object: Fields, at: string) =>
  zoned(object['created_at'], at) ?? zoned(object['timestamp'], at) ?? zoned(object['start_time'], at) ?? at;

/** A time that has a zone, but no later than the time of reading: a later time must have the wrong zone. */
function zoned(time: unknown, at: string) {
  if (typeof time !== 'string' || !/\d(?:Z|[+-]\d\d:?\d\d)$/.test(time)) return undefined;
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? undefined : new Date(Math.min(ms, Date.parse(at))).toISOString();
}
