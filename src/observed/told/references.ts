import { maskValue } from '../masking.ts';
import { registeredSlice } from '../reading/dialects.ts';
import { type Fields, idOf, objectOf } from '../reading/values.ts';
import type { MessageLine, RestLine } from '../recording-lines.ts';
import { named, type Names, resourceOf, restLine, wasTaken, writes } from './rest-call.ts';

/** Writes that state no fact about a workflow: drawn numbers, signs of life, log lines. */
const noFacts: ReadonlySet<string> = new Set(['state', 'namespaces', 'systemagents', 'subscribers', 'logs', 'sse']);

/** The field of an answer that has the id of an object. */
const idFields: Readonly<Record<string, string>> = {
  'stf-files': 'file_id',
  'fastmon-files': 'tf_file_id',
  runs: 'run_id',
};

/**
 * The numbers that a monitor gave to its objects, as the calls of one recording show them: a newly set up monitor starts over with them, so they are not
 * names. Pass calls in order.
 */
export class References {
  readonly #runs = new Map<string, string>();
  readonly #runOfExecution = new Map<string, string>();
  readonly #runOfStf = new Map<string, string>();
  readonly #objects = new Map<string, Names>();

  /** Converts a call to a row of the log; undefined if it states nothing. */
  lineOf(call: RestLine): MessageLine | undefined {
    const { t, method, path, status } = call;
    const { resource, id } = resourceOf(path);
    if (!writes.has(method) || !wasTaken(status) || resource === '' || noFacts.has(resource)) return undefined;
    const isChange = id !== undefined && method !== 'POST';
    const headers = isChange ? this.#namesOfObject(resource, id) : this.#namesOf(resource, call);
    return restLine(t, method, path, headers, maskValue(call.body ?? {}));
  }

  #namesOf(resource: string, { body: told, answer: given }: RestLine): Names {
    const [body, answer] = [objectOf(told), objectOf(given)];
    const names = this.#newNames(resource, body, answer);
    const object = idOf(answer[idFields[resource] ?? 'id']);
    if (object !== undefined) this.#objects.set(`${resource} ${object}`, names);
    return names;
  }

  #namesOfObject(resource: string, id: string): Names {
    if (resource === 'run-states') return named(id);
    if (resource === 'workflow-executions') return named(this.#runOfExecution.get(id));
    return { ...this.#objects.get(`${resource} ${id}`) };
  }

  #newNames(resource: string, body: Fields, answer: Fields): Names {
    switch (resource) {
      case 'runs':
        return this.#learn(this.#runs, answer['run_id'], body);
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
        return this.#learn(this.#runOfExecution, objectOf(body['metadata'])['execution_id'], body);
      case 'system-state-events':
        return named(idOf(body['run_number']));
      default:
        return {};
    }
  }

  /** Notes the run that a registration numbers, under the id that the monitor or an execution has for it. */
  #learn(runs: Map<string, string>, key: unknown, { run_number }: Fields): Names {
    const [id, run_id] = [idOf(key), idOf(run_number)];
    if (id !== undefined && run_id !== undefined) runs.set(id, run_id);
    return named(run_id);
  }
}
