import type { RestLine } from '../../src/observed/recording-lines.ts';
import { readRecordings } from '../../src/observer/recording-reader.ts';

type Fields = Record<string, unknown>;

/** The REST calls of a recorded run, in their order. */
export async function readCalls(run: string): Promise<RestLine[]> {
  const calls: RestLine[] = [];
  for await (const read of readRecordings([`test/recordings/${run}/rest.jsonl.gz`], () => {}))
    if (read.kind === 'rest') calls.push(read.line);
  return calls;
}

/** The fields of answers with an id that the monitor has assigned, and the paths in which it is used again. */
const givenIds = { 'stf-files': 'file_id', 'fastmon-files': 'tf_file_id', 'tf-slices': 'id', runs: 'run_id' } as const;

/** Plays recorded calls against a monitor, and replaces ids by those that this one assigns, as a client would. */
export class Player {
  /** Answers with which the recorded program could not have continued, a sentence each. */
  readonly differences: string[] = [];
  /** Seconds that each call took. */
  readonly took: number[] = [];
  readonly #ids = new Map<string, string>();
  readonly #root: string;
  readonly #times: number;

  /** @param root with the prefix; @param times each call is sent */
  constructor(root: string, times = 1) {
    this.#root = root;
    this.#times = times;
  }

  async play(calls: readonly RestLine[]): Promise<void> {
    for (const call of calls) {
      // A number that is requested twice is a different one.
      const isDrawn = call.path.startsWith('/api/state/');
      const first = await this.#send(call);
      this.#learn(call, first.body as Fields);
      this.#compare(call, first);
      if (isDrawn) continue;
      for (let n = 1; n < this.#times; n += 1) this.#compare(call, await this.#send(call));
    }
  }

  async #send({ method, path, query, body }: RestLine): Promise<{ status: number; body: unknown }> {
    const began = performance.now();
    const asked = new URLSearchParams(
      Object.entries((query ?? {}) as Record<string, string>).map(([key, value]): [string, string] => [
        key,
        this.#swap('', value),
      ]),
    );
    const response = await fetch(
      `${this.#root}${this.#swapPath(path)}${asked.size === 0 ? '' : `?${asked.toString()}`}`,
      {
        method,
        headers: { 'Content-Type': 'application/json', Authorization: 'Token secret' },
        ...(method === 'GET' ? {} : { body: JSON.stringify(this.#swapBody(path, body)) }),
        redirect: 'error',
      },
    );
    const answer: unknown = await response.json();
    this.took.push((performance.now() - began) / 1000);
    return { status: response.status, body: answer };
  }

  #learn({ path, answer, method }: RestLine, got: Fields): void {
    const [, resource = ''] = /^\/api\/([^/]+)\//.exec(path) ?? [];
    const field = givenIds[resource as keyof typeof givenIds];
    if (method !== 'POST' || field === undefined) return;
    this.#ids.set(`${isText(answer, field) ? '' : resource} ${String((answer as Fields)[field])}`, String(got[field]));
  }

  #swap(resource: string, told: string): string {
    return this.#ids.get(`${resource} ${told}`) ?? told;
  }

  #swapPath(path: string): string {
    return path
      .replace(
        /^\/api\/(runs|tf-slices)\/(\d+)\//,
        (_, resource: string, id: string) => `/api/${resource}/${this.#swap(resource, id)}/`,
      )
      .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, (id) => this.#swap('', id));
  }

  #swapBody(path: string, body: unknown): unknown {
    if (typeof body !== 'object' || body === null) return body;
    const swapped: Fields = { ...(body as Fields) };
    if (path === '/api/stf-files/') swapped['run'] = Number(this.#swap('runs', String(swapped['run'])));
    if (typeof swapped['tf_file_id'] === 'string') swapped['tf_file_id'] = this.#swap('', swapped['tf_file_id']);
    return swapped;
  }

  #compare({ method, path, query, status, answer }: RestLine, got: { status: number; body: unknown }): void {
    // The second heartbeat of an agent is no longer new.
    const isAgain = path.includes('heartbeat') && got.status === 200;
    const why = got.status === status || isAgain ? missingIn(answer, got.body) : `${got.status} in place of ${status}`;
    if (why !== undefined) this.differences.push(`${method} ${path} ${JSON.stringify(query ?? {})}: ${why}`);
  }
}

const isText = (answer: unknown, field: string): boolean => typeof (answer as Fields)[field] === 'string';

/** A difference that a program could notice between the recorded answer and this one: a field, or whether a list is empty. */
function missingIn(recorded: unknown, got: unknown): string | undefined {
  if (Array.isArray(recorded)) {
    if (!Array.isArray(got)) return 'no list';
    if ((recorded.length === 0) !== (got.length === 0)) return `${got.length} items in place of ${recorded.length}`;
    return recorded.length === 0 ? undefined : missingIn(recorded[0], got[0]);
  }
  if (typeof recorded !== 'object' || recorded === null) return undefined;
  const missing = Object.keys(recorded).find((key) => typeof got !== 'object' || got === null || !(key in got));
  return missing === undefined ? undefined : `no ${missing}`;
}
