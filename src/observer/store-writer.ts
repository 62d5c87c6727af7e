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

/** Number of messages per transaction, small so that other writers do not wait for long. */
const together = 200;

/** The interval, in milliseconds, at which an observer reports that it is connected. */
const beatMilliseconds = 5000;

interface StoreWriterOptions {
  store: Store;
  /** Namespaces to record; all if empty. */
  namespaces: readonly string[];
  /** The topics that the observer listens to; undefined without a broker. */
  topics?: readonly string[];
  version: string;
  /** Whether requests may be sent to the testbed's programs. */
  maySend?: boolean;
  say: (line: string) => void;
}

/** The period in which messages were received, as of a given time; undefined while no messages can be received. */
type Heard = (now: number) => Span | undefined;

/**
 * Records the lines of an observer in a store, shortly after they arrive. Throws `NAMESPACE_IN_USE` while another
 * observer of this store records one of these namespaces.
 */
export async function openStoreWriter({ store, namespaces, topics, version, maySend, say }: StoreWriterOptions) {
  const process_id = await store.write((tx) => {
    const id = registerProcess(tx, currentProcess(), version);
    const now = Date.now();
    // A killed observer could not record that it stopped listening.
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
  const beat = (heard: Heard) => {
    const now = Date.now();
    const span = heard(now);
    // Lines that have not been written yet would be lost with this process, so they do not count as received.
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
    /** Regularly reports the time up to which messages were received. */
    keepHearing: (heard: Heard) => void (timer = setInterval(() => void beat(heard), beatMilliseconds)),
    /** Takes the next request to send. Each request is returned only once. */
    takeRequest: () => store.write((tx) => takeRequest(tx, namespaces, Date.now())).catch(() => undefined),
    /** Records the time when all of the monitor's data about a run was read. @param at milliseconds since 1970 */
    async noteRead(run: { execution_id: string; run_id: string }, at: number) {
      await lines.flush();
      await writeIfPossible((tx) => noteRead(tx, run, at));
    },
    /** Writes the remaining lines, and records the end of listening. @param heardUntil epoch ms, default now */
    async close(heardUntil?: number) {
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

/** Records a line. Returns the namespaces that the observer owns from then on. */
function recordLine(
  tx: Transaction,
  line: RecordingLine,
  { process_id, claimed }: { process_id: number; claimed: ReadonlySet<string> },
) {
  if ('gap' in line) noteGap(tx, line.gap);
  if ('until' in line) endHearing(tx, process_id, Date.parse(line.until));
  if (!('destination' in line)) return [];
  recordHeard(tx, line);
  const namespace = foreignNamespace(line);
  if (namespace === undefined || claimed.has(namespace)) return [];
  claimNamespace(tx, namespace, process_id, isAlive);
  return [namespace];
}

/** The namespace of a program that is not swf-mcp. */
const foreignNamespace = (line: MessageLine) =>
  shortName(foreignProgramOf({ kind: 'unknown', msg_type: '', body: { ...fieldsOf(line) } }, line.headers)?.namespace);
