import { noteRead } from '../db/observed/executions.ts';
import { recordHeard } from '../db/observed/heard-messages.ts';
import { beginHearing, claimNamespace, keepHearing, noteGap, noteUnrecorded } from '../db/observed/hearings.ts';
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
  static async open({ store, namespaces, version, maySend, say }: StoreWriterOptions): Promise<StoreWriter> {
    const processId = await store.write((tx) => {
      const process_id = registerProcess(tx, currentProcess(), version);
      beginHearing(tx, { namespaces, process_id, now: Date.now(), maySend }, isAlive);
      return process_id;
    });
    return new StoreWriter({ store, namespaces, say }, processId);
  }

  private constructor({ store, namespaces, say }: Omit<StoreWriterOptions, 'version'>, processId: number) {
    this.#store = store;
    this.#namespaces = namespaces;
    this.#processId = processId;
    this.lines = new WaitingLines({ name: 'the store', write: (lines) => this.#write(lines), say });
  }

  /** Reports regularly whether anything would be heard. @param isHearing whether the broker is there */
  keepHearing(isHearing: () => boolean): void {
    this.#timer = setInterval(() => void this.beat(isHearing()), beatMilliseconds);
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

  /** Writes the rest, and records that nobody listens now. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#store.hurry();
    await this.lines.close();
    await this.#store
      .write((tx) => {
        recordEnd(tx, this.#processId, 'order');
        settleObserved(tx, { isAlive, now: Date.now() });
      })
      .catch(() => {});
  }

  async beat(isHearing: boolean): Promise<void> {
    const now = Date.now();
    await this.#store
      .write((tx) => {
        recordHeartbeat(tx, this.#processId, new Map());
        if (isHearing) keepHearing(tx, this.#processId, now);
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
    if ('until' in line) keepHearing(tx, this.#processId, Date.parse(line.until));
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
  foreignProgramOf({ kind: 'unknown', msg_type: '', body: { ...fieldsOf(line) } }, line.headers)?.namespace;
