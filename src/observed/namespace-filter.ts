import { told } from '../messages/told.ts';
import type { MessageLine } from './recording-lines.ts';

/** A longer word is no run. */
const maxRun = 100;

/** Runs whose namespaces are kept in mind. */
const maxRuns = 10_000;

/**
 * Knows which messages are of the namespaces that are meant. A message names its namespace in its body, else in its headers, else by its run, as another
 * message has told it. One whose namespace nobody knows is meant: it may be one of theirs.
 */
export class NamespaceFilter {
  readonly #wanted: ReadonlySet<string>;
  /** Undefined for a run that several namespaces have. */
  readonly #ofRun = new Map<string, string | undefined>();

  /** @param wanted none: all are meant */
  constructor(wanted: readonly string[]) {
    this.#wanted = new Set(wanted);
  }

  isMeant(line: MessageLine): boolean {
    if (this.#wanted.size === 0) return true;
    const namespace = this.namespaceOf(line);
    return namespace === undefined || this.#wanted.has(namespace);
  }

  namespaceOf(line: MessageLine): string | undefined {
    const body = fieldsOf(line);
    const run = told(body['run_id']) ?? told(line.headers['run_id']);
    const namespace = told(body['namespace']) ?? told(line.headers['namespace']);
    if (namespace === undefined) return run === undefined ? undefined : this.#ofRun.get(run);
    if (run !== undefined && run.length <= maxRun) this.#note(run, namespace);
    return namespace;
  }

  #note(run: string, namespace: string): void {
    const isShared = this.#ofRun.has(run) && this.#ofRun.get(run) !== namespace;
    this.#ofRun.delete(run);
    this.#ofRun.set(run, isShared ? undefined : namespace);
    const [oldest] = this.#ofRun.keys();
    if (this.#ofRun.size > maxRuns && oldest !== undefined) this.#ofRun.delete(oldest);
  }
}

/** The fields of a message; none, where its body is no object. */
export function fieldsOf(line: MessageLine): Readonly<Record<string, unknown>> {
  const body = 'body' in line ? line.body : undefined;
  return typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Record<string, unknown>) : {};
}
