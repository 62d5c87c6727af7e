import { type ExecutionStatus, reportedStatuses } from '../../domain/states.ts';
import { asObject } from '../../lib/read-json.ts';
import { wireHash } from '../../messages/identity.ts';
import { fieldsOf } from '../namespace-filter.ts';
import { registeredSlice } from '../reading/dialects.ts';
import type { Fact, Statement } from '../reading/fact.ts';
import { chosenSites, jobsOf } from '../reading/prompt.ts';
import { readMessage } from '../reading/read-message.ts';
import {
  type Fields,
  framesIn,
  hiddenIn,
  idOf,
  nameOf,
  objectOf,
  shortName,
  stfFileFact,
  tfFileFact,
} from '../reading/values.ts';
import type { MessageLine } from '../recording-lines.ts';
import { resourceOf, restOf } from './rest-call.ts';

/** A REST write: its target, the names that it refers to, and its body. */
interface Write {
  method: string;
  path: string;
  /**
   * Names that the path or the body gives only as a number assigned by the monitor: `run_id`, and `name` of a
   * file or slice.
   */
  headers: Readonly<Record<string, string>>;
  body: Fields;
}

/** A kind of write: its type in the log, and the fact that it reports. */
interface WriteRule {
  type: string;
  fact: (write: Write) => Fact | undefined;
  /** The body field that contains the run number, if any. */
  run?: 'run_number' | 'run';
}

const states = (): Fact => ({ kind: 'told' });

/** The writes of the testbed's programs, by method and resource. */
const rules: Readonly<Record<string, WriteRule>> = {
  'POST workflow-definitions': { type: 'definition_registered', fact: () => undefined },
  'POST workflow-executions': { type: 'execution_registered', fact: ({ body }) => executionOf(body) },
  'PATCH workflow-executions': { type: 'execution_status', fact: ({ body }) => statusOf(body) },
  'POST run-states': { type: 'run_registered', fact: states, run: 'run_number' },
  'PATCH run-states': { type: 'run_state_told', fact: states },
  'POST runs': { type: 'data_run_opened', fact: ({ body }) => dataRunOf(body), run: 'run_number' },
  'PATCH runs': { type: 'data_run_closed', fact: ({ body }) => dataRunOf(body) },
  'POST stf-files': { type: 'stf_registered', fact: ({ body }) => stfOf(body), run: 'run' },
  'PATCH stf-files': { type: 'stf_status', fact: (write) => stfChanged(write) },
  'POST fastmon-files': {
    type: 'tf_registered',
    fact: ({ body }) => tfFileFact('told_tf', body, nameOf(body['stf_filename']) ?? nameOf(body['stf_file'])),
  },
  'PATCH fastmon-files': { type: 'tf_status', fact: states },
  'POST tf-slices': { type: 'slice_registered', fact: ({ body }) => sliceOf(body), run: 'run_number' },
  'PATCH tf-slices': { type: 'slice_status', fact: states },
  'POST system-state-events': { type: 'system_event', fact: states, run: 'run_number' },
};

/**
 * Parses a row of the log that comes from other programs: a message, or a REST write to their monitor. Never
 * throws.
 */
export function readStatement(line: MessageLine): Statement {
  const rest = restOf(line.destination);
  return rest === undefined ? readMessage(line) : readTold({ ...rest, headers: line.headers, body: fieldsOf(line) });
}

/** The statement depends only on the write, and has no fact if no rule covers the write. */
function readTold(write: Write): Statement {
  const { body, headers, method, path } = write;
  const { resource, id } = resourceOf(path);
  const result = resultIn(resource, body);
  if (result !== undefined) return result;
  const rule = ruleOf(method, resource, id);
  const metadata = objectOf(body['metadata']);
  return {
    message_type: rule?.type ?? `${method.toLowerCase()} ${resource}`.slice(0, 50),
    sender: senderOf(method, body, metadata),
    namespace: idOf(body['namespace']),
    run_id: shortName(headers['run_id']) ?? shortName(idOf(rule?.run && body[rule.run])) ?? runInPath(resource, id),
    told_id: shortName(executionNamed(body) ?? (resource === 'workflow-executions' ? idOf(id) : undefined)),
    hidden: hiddenIn({
      namespace: [body['namespace']],
      run_id: [headers['run_id'], rule?.run && body[rule.run]],
      execution_id: [executionNamed(body), resource === 'workflow-executions' ? id : undefined],
    }),
    dialect: undefined,
    simulation_tick: undefined,
    fact: rule?.fact(write),
  };
}

/** An object read from the monitor states the same fact as the write that created it. */
function ruleOf(method: string, resource: string, id: string | undefined) {
  const verb = method === 'GET' ? (id === undefined ? 'POST' : 'PATCH') : method;
  const key = `${verb} ${resource}`;
  return Object.hasOwn(rules, key) ? rules[key] : undefined;
}

const executionNamed = (body: Fields) =>
  [body, objectOf(body['metadata']), objectOf(body['event_data'])]
    .map(({ execution_id }) => (typeof execution_id === 'string' ? idOf(execution_id) : undefined))
    .find((id) => id !== undefined);

/** A change keeps the creator of an object, and adds the author of the change. */
const senderOf = (method: string, body: Fields, metadata: Fields) =>
  shortName(
    (method === 'PATCH' ? idOf(metadata['processed_by']) : undefined) ??
      idOf(metadata['created_by']) ??
      idOf(metadata['agent_name']) ??
      idOf(metadata['processed_by']) ??
      idOf(body['executed_by']) ??
      idOf(body['created_by']),
  );

const runInPath = (resource: string, id: string | undefined) => (resource === 'run-states' ? idOf(id) : undefined);

/** Fast processing reports each result to the monitor by enclosing, unchanged, the message that it received. */
function resultIn(resource: string, { event_type, event_data }: Fields): Statement | undefined {
  const body =
    resource === 'system-state-events' && event_type === 'slice_result'
      ? asObject(objectOf(event_data)['message'])
      : undefined;
  if (body === undefined) return undefined;
  const statement = readMessage({ t: '', destination: '', headers: {}, body });
  const { fact } = statement;
  return fact?.kind === 'result'
    ? { ...statement, sender: undefined, fact: { ...fact, copyOf: JSON.stringify(body) } }
    : undefined;
}

function executionOf(body: Fields): Fact | undefined {
  if (idOf(body['execution_id']) === undefined) return undefined;
  return {
    kind: 'told_execution',
    // The zone is removed: the monitor adds it from its configuration.
    start_time: (idOf(body['start_time']) ?? '').replace(/(?:Z|[+-]\d\d:?\d\d)$/, ''),
    executed_by: idOf(body['executed_by']),
    parameters: objectOf(body['parameter_values']),
  };
}

const statuses: ReadonlySet<unknown> = new Set(reportedStatuses);

const statusOf = ({ status }: Fields): Fact =>
  statuses.has(status) ? { kind: 'told_status', status: status as ExecutionStatus } : { kind: 'told' };

const dataRunOf = ({ end_time = null }: Fields): Fact => ({ kind: 'told_run', isClosed: end_time !== null });

function stfOf(body: Fields): Fact | undefined {
  const metadata = objectOf(body['metadata']);
  const file = stfFileFact('told_stf', {
    filename: body['stf_filename'],
    sequence: metadata['sequence'],
    tf_count: body['tf_count'],
  });
  return file && { ...file, sites: chosenSites(metadata) };
}

/**
 * A data agent sets the status of a file once the file is processed; the agent for prompt processing records
 * the file's jobs.
 */
function stfChanged({ body, headers }: Write): Fact {
  const stf_filename = nameOf(headers['name']);
  if (stf_filename === undefined) return { kind: 'told' };
  const jobs = jobsOf(stf_filename, body);
  return jobs ?? (body['status'] === 'processed' ? { kind: 'told_stf_ready', stf_filename } : { kind: 'told' });
}

function sliceOf(body: Fields): Fact | undefined {
  const named = registeredSlice(body);
  return named && { kind: 'told_slice', ...named, stf_filename: nameOf(body['stf_filename']), ...framesIn(body) };
}

/** Number of hexadecimal digits of a hash that suffice to distinguish messages. */
const digits = 16;

/**
 * The id of a received message or a REST write. It depends only on the message, so every recording of the
 * message has the same id.
 */
export function heardId(statement: Statement, destination: string, body: string) {
  const { message_type, namespace = '', run_id = 'none' } = statement;
  const rest = restOf(destination);
  if (rest !== undefined)
    return `told/${rest.method}${rest.path.slice(0, -1)}/${wireHash(rest.path, body).slice(0, digits)}`;
  return `heard/${run_id}/${message_type}/${wireHash(`${destination}\n${namespace}`, body).slice(0, digits)}`;
}
