import { noteRead } from '../db/observed/executions.ts';
import { recordHeard } from '../db/observed/heard-messages.ts';
import { beginHearing, endHearing, keepHearing, noteGap, noteUnrecorded, type Span } from '../db/observed/hearings.ts';
import { settleObserved } from '../db/observed/settle.ts';
import { type Store, writeEach } from '../db/opening/store.ts';
import { recordEnd, recordHeartbeat } from '../db/presence/agent-registry.ts';
import { registerProcess } from '../db/presence/leases.ts';
import { claimNamespace } from '../db/presence/recorders.ts';
import type { Transaction } from '../db/sqlite/transaction.ts';
import { takeRequest } from '../db/stand-in/requests.ts';
import { currentProcess, isAlive } from '../lib/process-identity.ts';
import { foreignProgramOf } from '../messages/foreign.ts';
import { fieldsOf } from '../observed/namespace-filter.ts';
import { shortName } from '../observed/reading/values.ts';
import type { MessageLine, RecordingLine } from '../observed/recording-lines.ts';
import { createWaitingLines, type WaitingLine } from './waiting-lines.ts';

/** Messages per transaction: other writers must not wait for long. */
const together = 200;

/** How often an observer reports that it is connected, in milliseconds. */
const beatMilliseconds = 5000;

interface StoreWriterOptions {
  store: Store;
  /** Namespaces to record; all if empty. */
  namespaces: readonly string[];
  /** The topics that it listens to; undefined without a broker. */
  topics?: readonly string[];
  version: string;
  /** Whether requests to programs of the testbed are sent. */
  maySend?: boolean;
  say: (line: string) => void;
}

/** When messages were heard, as of a given time; undefined while none can be heard. */
type Heard = (now: number) => Span | undefined;

/**
 * Records the lines of an observer in a store, shortly after they arrive. Throws `NAMESPACE_IN_USE` while another observer of this store records the same
 * namespaces.
 */
export async function openStoreWriter({ store, namespaces, topics, version, maySend, say }: StoreWriterOptions) {
  const process_id = await store.write((tx) => {
    const id = registerProcess(tx, currentProcess(), version);
    const now = Date.now();
    // An observer that was killed could not record that it stopped hearing.
    settleObserved(tx, { isAlive, now });
    beginHearing(tx, { namespaces, process_id: id, now, topics, maySend }, isAlive);
    return id;
  });
  const claimed = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  const lines = createWaitingLines({
    name: 'the store',
    async write(waiting) {
      const some = waiting.slice(0, together);
      const namespacesOf = (tx: Transaction, { line }: WaitingLine) => recordLine(tx, line, { process_id, claimed });
      const failed = (tx: Transaction, { time }: WaitingLine, error: unknown) => noteUnrecorded(tx, time, error);
      for (const namespace of await writeEach(store, some, namespacesOf, failed)) claimed.add(namespace);
      return some.length;
    },
    say,
  });
  /** A write that fails is retried at the next report, or by the next process. */
  const writeIfPossible = (work: (tx: Transaction) => void) => store.write(work).catch(() => {});
  const beat = (heard: Heard): Promise<void> => {
    const now = Date.now();
    const span = heard(now);
    // Lines that are lost with this process were not heard.
    const until = Math.min(span?.until ?? now, lines.oldest() ?? now);
    return writeIfPossible((tx) => {
      recordHeartbeat(tx, process_id, new Map());
      if (span !== undefined) keepHearing(tx, process_id, { since: span.since, until }, now);
      settleObserved(tx, { isAlive, now });
    });
  };
  return {
    lines,
    beat,
    /** Regularly reports until when messages were heard. */
    keepHearing: (heard: Heard) => void (timer = setInterval(() => void beat(heard), beatMilliseconds)),
    /** Takes the next request to send; each is returned only once. */
    takeRequest: () => store.write((tx) => takeRequest(tx, namespaces, Date.now())).catch(() => undefined),
    /** Records that everything the monitor had about a run was read. @param at milliseconds since 1970 */
    async noteRead(run: { execution_id: string; run_id: string }, at: number): Promise<void> {
      await lines.flush();
      await writeIfPossible((tx) => noteRead(tx, run, at));
    },
    /** Writes the rest, and records that no observer listens now. @param heardUntil milliseconds since 1970; now by default */
    async close(heardUntil?: number): Promise<void> {
      clearInterval(timer);
      store.hurry();
      await lines.close(heardUntil);
      await writeIfPossible((tx) => {
        recordEnd(tx, process_id, 'order');
        settleObserved(tx, { isAlive, now: Date.now() });
      });
    },
  };
}

/** Records a line. Returns the namespaces that the observer owns from now on. */
function recordLine(
  tx: Transaction,
  line: RecordingLine,
  { process_id, claimed }: { process_id: number; claimed: ReadonlySet<string> },
): string[] {
  if ('gap' in line) noteGap(tx, line.gap);
  if ('until' in line) endHearing(tx, process_id, Date.parse(line.until));
  if (!('destination' in line)) return [];
  recordHeard(tx, line);
  const namespace = foreignNamespace(line);
  if (namespace === undefined || claimed.has(namespace)) return [];
  claimNamespace(tx, namespace, process_id, isAlive);
  return [namespace];
}

/** The namespace of a foreign program. */
const foreignNamespace = (line: MessageLine) =>
  shortName(foreignProgramOf({ kind: 'unknown', msg_type: '', body: { ...fieldsOf(line) } }, line.headers)?.namespace);
