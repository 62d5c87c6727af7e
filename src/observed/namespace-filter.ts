import { setNewest } from '../lib/once-for.ts';
import { asObject } from '../lib/read-json.ts';
import { told } from '../messages/foreign.ts';
import type { MessageLine } from './recording-lines.ts';

/** Longer words are not accepted as run ids. */
const maxRun = 100;

/** Number of runs whose namespaces are remembered. */
const maxRuns = 10_000;

/**
 * Selects the messages of the wanted namespaces. A message's namespace is in its body, or else in its
 * headers, or else known from another message of the same run. A message whose namespace is unknown is
 * selected, since it may belong to a wanted namespace.
 * @param wanted the namespaces; if empty, all
 */
export function createNamespaceFilter(wanted: readonly string[]) {
  /** The namespace of each run; undefined if several namespaces share the run. */
  const ofRun = new Map<string, string | undefined>();
  const note = (run: string, namespace: string) => {
    const isShared = ofRun.has(run) && ofRun.get(run) !== namespace;
    setNewest(ofRun, run, isShared ? undefined : namespace, maxRuns);
  };
  const namespaceOf = (line: MessageLine) => {
    const body = fieldsOf(line);
    const run = told(body['run_id']) ?? told(line.headers['run_id']);
    const namespace = told(body['namespace']) ?? told(line.headers['namespace']);
    if (namespace === undefined) return run === undefined ? undefined : ofRun.get(run);
    if (run !== undefined && run.length <= maxRun) note(run, namespace);
    return namespace;
  };
  const isMeant = (line: MessageLine) => {
    if (wanted.length === 0) return true;
    const namespace = namespaceOf(line);
    return namespace === undefined || wanted.includes(namespace);
  };
  return { isMeant, namespaceOf };
}

/** The fields of a message; empty if its body is not an object. */
export const fieldsOf = (line: MessageLine) => asObject('body' in line ? line.body : undefined) ?? {};
