import { setNewest } from '../lib/once-for.ts';
import { asObject } from '../lib/read-json.ts';
import { told } from '../messages/foreign.ts';
import type { MessageLine } from './recording-lines.ts';

/** Longer words are not run ids. */
const maxRun = 100;

/** Runs whose namespaces are remembered. */
const maxRuns = 10_000;

/**
 * Selects the messages of the wanted namespaces. A message names its namespace in its body, or else in its
 * headers, or else through its run, as learned from another message. A message of unknown namespace is
 * selected: it may belong to a wanted one.
 * @param wanted all, if empty
 */
export function createNamespaceFilter(wanted: readonly string[]) {
  /** Undefined for a run that several namespaces share. */
  const ofRun = new Map<string, string | undefined>();
  const note = (run: string, namespace: string) => {
    const isShared = ofRun.has(run) && ofRun.get(run) !== namespace;
    setNewest(ofRun, run, isShared ? undefined : namespace, maxRuns);
  };
  const namespaceOf = (line: MessageLine): string | undefined => {
    const body = fieldsOf(line);
    const run = told(body['run_id']) ?? told(line.headers['run_id']);
    const namespace = told(body['namespace']) ?? told(line.headers['namespace']);
    if (namespace === undefined) return run === undefined ? undefined : ofRun.get(run);
    if (run !== undefined && run.length <= maxRun) note(run, namespace);
    return namespace;
  };
  const isMeant = (line: MessageLine): boolean => {
    if (wanted.length === 0) return true;
    const namespace = namespaceOf(line);
    return namespace === undefined || wanted.includes(namespace);
  };
  return { isMeant, namespaceOf };
}

/** The fields of a message; empty if its body is not an object. */
export const fieldsOf = (line: MessageLine) => asObject('body' in line ? line.body : undefined) ?? {};
