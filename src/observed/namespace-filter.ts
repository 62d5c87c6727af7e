import { asObject } from '../lib/read-json.ts';
import { told } from '../messages/foreign.ts';
import type { MessageLine } from './recording-lines.ts';

/** Longer words are not run ids. */
const maxRun = 100;

/** Runs whose namespaces are remembered. */
const maxRuns = 10_000;

/**
 * Selects the messages of the wanted namespaces. A message names its namespace in its body, else in its headers, else by its run, as learned from
 * another message. A message of unknown namespace is selected: it may belong to a wanted one.
 */
export class NamespaceFilter {
  readonly #wanted: ReadonlySet<string>;
  /** Undefined for a run that several namespaces share. */
  readonly #ofRun = new Map<string, string | undefined>();

  /** @param wanted all, if empty */
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

/** The fields of a message; empty if its body is not an object. */
export const fieldsOf = (line: MessageLine): Readonly<Record<string, unknown>> =>
  asObject('body' in line ? line.body : undefined) ?? {};
