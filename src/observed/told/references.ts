import { keepValue } from '../body.ts';
import { maskValue } from '../masking.ts';
import { idOf, objectOf } from '../reading/values.ts';
import type { MessageLine, RestLine } from '../recording-lines.ts';
import { registeredSlice } from './registered-slice.ts';
import { restDestination, resourceOf, wasTaken, writes } from './rest-call.ts';

/** Writes that state no fact about a workflow: drawn numbers, signs of life, log lines. */
const noFacts: ReadonlySet<string> = new Set(['state', 'namespaces', 'systemagents', 'subscribers', 'logs', 'sse']);

/** The field of an answer that has the id of an object. */
const idFields: Readonly<Record<string, string>> = {
  'stf-files': 'file_id',
  'fastmon-files': 'tf_file_id',
  runs: 'run_id',
};

/** Whether a call states something about a workflow. */
function statesFact({ method, path, status }: Pick<RestLine, 'method' | 'path' | 'status'>): boolean {
  const { resource } = resourceOf(path);
  return writes.has(method) && wasTaken(status) && resource !== '' && !noFacts.has(resource);
}

/**
 * The numbers that a monitor gave to its objects, as the calls of one recording show them: a newly set up monitor starts over with them, so they are not
 * names. Pass calls in order.
 */
export class References {
  readonly #runs = new Map<string, string>();
  readonly #runOfExecution = new Map<string, string>();
  readonly #runOfStf = new Map<string, string>();
  readonly #objects = new Map<string, Readonly<Record<string, string>>>();

  /** Converts a call to a row of the log; undefined if it states nothing. */
  lineOf(call: RestLine): MessageLine | undefined {
    if (!statesFact(call)) return undefined;
    const headers = this.#namesOf(call);
    const body = maskValue(call.body ?? {});
    return { t: call.t, destination: restDestination(call.method, call.path), headers, ...keepValue(body) };
  }

  #namesOf({ method, path, body: told, answer: given }: RestLine): Record<string, string> {
    const { resource, id } = resourceOf(path);
    const [body, answer] = [objectOf(told), objectOf(given)];
    if (id !== undefined && method !== 'POST') return this.#namesOfObject(resource, id);
    const names = this.#newNames(resource, body, answer);
    const object = idOf(answer[idFields[resource] ?? 'id']);
    if (object !== undefined) this.#objects.set(`${resource} ${object}`, names);
    return names;
  }

  #namesOfObject(resource: string, id: string): Record<string, string> {
    if (resource === 'run-states') return named(id, undefined);
    if (resource === 'workflow-executions') return named(this.#runOfExecution.get(id), undefined);
    return { ...this.#objects.get(`${resource} ${id}`) };
  }

  #newNames(
    resource: string,
    body: Readonly<Record<string, unknown>>,
    answer: Readonly<Record<string, unknown>>,
  ): Record<string, string> {
    switch (resource) {
      case 'runs':
        return this.#learnRun(idOf(answer['run_id']), idOf(body['run_number']));
      case 'stf-files': {
        const run = idOf(body['run']) ?? '';
        const run_id = this.#runs.get(run) ?? run;
        const name = idOf(body['stf_filename']) ?? '';
        this.#runOfStf.set(name, run_id);
        return named(run_id, name);
      }
      case 'fastmon-files':
        return named(this.#runOfStf.get(idOf(body['stf_file']) ?? ''), idOf(body['tf_filename']));
      case 'tf-slices':
        return named(idOf(body['run_number']), registeredSlice(body)?.slice_filename);
      case 'run-states':
        return this.#learnExecution(idOf(objectOf(body['metadata'])['execution_id']), idOf(body['run_number']));
      case 'system-state-events':
        return named(idOf(body['run_number']), undefined);
      default:
        return {};
    }
  }

  #learnExecution(execution: string | undefined, run_id: string | undefined): Record<string, string> {
    if (execution !== undefined && run_id !== undefined) this.#runOfExecution.set(execution, run_id);
    return named(run_id, undefined);
  }

  #learnRun(object: string | undefined, run_id: string | undefined): Record<string, string> {
    if (object !== undefined && run_id !== undefined) this.#runs.set(object, run_id);
    return named(run_id, undefined);
  }
}

const named = (run_id: string | undefined, name: string | undefined): Record<string, string> => ({
  ...(run_id === undefined || run_id === '' ? {} : { run_id }),
  ...(name === undefined || name === '' ? {} : { name }),
});
