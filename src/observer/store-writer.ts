import { noteRead } from '../db/observed/executions.ts';
import { recordHeard } from '../db/observed/heard-messages.ts';
import {
  beginHearing,
  claimNamespace,
  endHearing,
  keepHearing,
  noteGap,
  noteUnrecorded,
  type Span,
} from '../db/observed/hearings.ts';
import { settleObserved } from '../db/observed/settle.ts';
import type { Store } from '../db/opening/store.ts';
import { writeEach } from '../db/opening/write-each.ts';
import { recordEnd, recordHeartbeat } from '../db/presence/agent-registry.ts';
import { registerProcess } from '../db/presence/leases.ts';
import type { Transaction } from '../db/sqlite/transaction.ts';
import { takeRequest, type TestbedRequest } from '../db/stand-in/requests.ts';
import { currentProcess, isAlive } from '../lib/process-identity.ts';
import { foreignProgramOf } from '../messages/foreign.ts';
import { fieldsOf } from '../observed/namespace-filter.ts';
import { shortName } from '../observed/reading/values.ts';
import type { MessageLine, RecordingLine } from '../observed/recording-lines.ts';
import { type WaitingLine, WaitingLines } from './waiting-lines.ts';

/** Messages per transaction: other writers must not wait for long. */
const together = 200;

/** How often an observer reports that it hears, in milliseconds. */
const beatMilliseconds = 5000;

export interface StoreWriterOptions {
  store: Store;
  /** Namespaces to record; all if empty. */
  namespaces: readonly string[];
  /** The topics that it listens to; undefined if it hears no broker. */
  topics?: readonly string[];
  version: string;
  /** Whether requests to programs of the testbed are sent. */
  maySend?: boolean;
  say: (line: string) => void;
}

/** Records the lines of an observer in a store, shortly after they come. */
export class StoreWriter {
  readonly #store: Store;
  readonly #namespaces: readonly string[];
  readonly #processId: number;
  readonly lines: WaitingLines;
  readonly #claimed = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  /** Throws `NAMESPACE_IN_USE` while another observer of this store hears the same namespaces. */
  static async open(options: StoreWriterOptions): Promise<StoreWriter> {
    const { store, namespaces, topics, version, maySend } = options;
    const processId = await store.write((tx) => {
      const process_id = registerProcess(tx, currentProcess(), version);
      const now = Date.now();
      // An observer that was killed could not note that hearing has ended.
      settleObserved(tx, { isAlive, now });
      beginHearing(tx, { namespaces, process_id, now, topics, maySend }, isAlive);
      return process_id;
    });
    return new StoreWriter(options, processId);
  }

  private constructor({ store, namespaces, say }: StoreWriterOptions, processId: number) {
    this.#store = store;
    this.#namespaces = namespaces;
    this.#processId = processId;
    this.lines = new WaitingLines({ name: 'the store', write: (lines) => this.#write(lines), say });
  }

  /** Reports regularly up to when messages were heard. @param heard the time that was heard; undefined while nothing would be */
  keepHearing(heard: (now: number) => Span | undefined): void {
    this.#timer = setInterval(() => void this.beat(heard), beatMilliseconds);
  }

  /** Takes the next request to send; each is returned only once. */
  takeRequest(): Promise<TestbedRequest | undefined> {
    return this.#store.write((tx) => takeRequest(tx, this.#namespaces, Date.now())).catch(() => undefined);
  }

  /** Notes that everything the monitor had about a run was read. @param at milliseconds since 1970 */
  async noteRead(run: { execution_id: string; run_id: string }, at: number): Promise<void> {
    await this.lines.flush();
    await this.#store.write((tx) => noteRead(tx, run, at)).catch(() => {});
  }

  /** Writes the rest, and records that nobody listens now. @param heardUntil milliseconds since 1970; now by default */
  async close(heardUntil?: number): Promise<void> {
    clearInterval(this.#timer);
    this.#store.hurry();
    await this.lines.close(heardUntil);
    await this.#store
      .write((tx) => {
        recordEnd(tx, this.#processId, 'order');
        settleObserved(tx, { isAlive, now: Date.now() });
      })
      .catch(() => {});
  }

  async beat(heard: (now: number) => Span | undefined): Promise<void> {
    const now = Date.now();
    const span = heard(now);
    // Lines that are lost with this process were not heard.
    const until = Math.min(span?.until ?? now, this.lines.oldest ?? now);
    await this.#store
      .write((tx) => {
        recordHeartbeat(tx, this.#processId, new Map());
        if (span !== undefined) keepHearing(tx, this.#processId, { since: span.since, until }, now);
        settleObserved(tx, { isAlive, now });
      })
      .catch(() => {});
  }

  async #write(lines: readonly WaitingLine[]): Promise<number> {
    const some = lines.slice(0, together);
    const claimed = await writeEach(
      this.#store,
      some,
      (tx, { line }) => this.#record(tx, line),
      (tx, { time }, error) => noteUnrecorded(tx, time, error),
    );
    for (const namespace of claimed) this.#claimed.add(namespace);
    return some.length;
  }

  /** Returns the namespaces that the observer owns from now on. */
  #record(tx: Transaction, line: RecordingLine): string[] {
    if ('gap' in line) noteGap(tx, line.gap);
    if ('until' in line) endHearing(tx, this.#processId, Date.parse(line.until));
    if (!('destination' in line)) return [];
    recordHeard(tx, line);
    const namespace = foreignNamespace(line);
    if (namespace === undefined || this.#claimed.has(namespace)) return [];
    claimNamespace(tx, { namespace, process_id: this.#processId }, isAlive);
    return [namespace];
  }
}

/** The namespace of a program of another make. */
const foreignNamespace = (line: MessageLine): string | undefined =>
  shortName(foreignProgramOf({ kind: 'unknown', msg_type: '', body: { ...fieldsOf(line) } }, line.headers)?.namespace);
