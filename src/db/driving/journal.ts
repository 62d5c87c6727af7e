import type { Journal, Overview, Reading, SliceQueue, Step } from '../../agents/ports.ts';
import { utcNow } from '../../lib/time.ts';
import type { Draft, Message } from '../../messages/message.ts';
import { type MessageType, vocabulary } from '../../messages/vocabulary.ts';
import { moveCursor, requireOwnership } from '../execution/fencing.ts';
import { countMessages, readLateMessages, readMessage, readMessages } from '../execution/log-reader.ts';
import { openOverview } from '../execution/overview.ts';
import { openSliceQueue } from '../execution/slice-queue.ts';
import { noteApplied, noteRefused } from '../log/commands.ts';
import type { LogLineWriter } from '../log/log-lines.ts';
import type { Circumstances } from '../log/rows.ts';
import type { Store } from '../opening/store.ts';
import type { LivenessTest } from '../presence/leases.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** An execution that this process works on. */
export interface HeldExecution {
  execution_id: string;
  run_number: number;
  namespace: string;
  /** Proves a driver's ownership; undefined for agents of other processes. */
  epoch?: number;
  /** It runs over a broker, so rows recorded here for others are sent. */
  isOverBroker?: boolean;
}

export interface ExecutionAccess {
  journal: Journal;
  overview: Overview;
  queue: SliceQueue;
}

export interface JournalOptions {
  writeLogLine: LogLineWriter;
  isAlive: LivenessTest;
  /** Called after a step's commit with the types of its messages. */
  onCommitted: (types: MessageType[], step: Step) => void;
}

/** Opens an execution of a store for the parts of this process that work on it. */
export function openExecution(store: Store, held: HeldExecution, options: JournalOptions): ExecutionAccess {
  return {
    journal: new StoreJournal(store, held, options),
    overview: openOverview(store.sql, held),
    queue: openSliceQueue(store.sql, held, options.isAlive),
  };
}

class StoreJournal implements Journal {
  readonly #store: Store;
  readonly #sql: Prepare;
  readonly #held: HeldExecution;
  readonly #options: JournalOptions;

  constructor(store: Store, held: HeldExecution, options: JournalOptions) {
    this.#store = store;
    this.#sql = store.sql;
    this.#held = held;
    this.#options = options;
  }

  cursor(role: string): number {
    return (
      this.#sql<[string, string], { seq: number }>('SELECT seq FROM cursors WHERE execution_id = ? AND role = ?').get(
        this.#held.execution_id,
        role,
      )?.seq ?? 0
    );
  }

  read(readings: readonly Reading[], after: number, limit: number): ReturnType<Journal['read']> {
    return readMessages(this.#sql, this.#held.execution_id, { readings, after, limit });
  }

  readLate(readings: readonly Reading[], after: number, limit: number): ReturnType<Journal['readLate']> {
    return readLateMessages(this.#sql, this.#held.execution_id, { readings, after, limit });
  }

  message(id: string): Message | undefined {
    return readMessage(this.#sql, id);
  }

  behind(role: string, readings: readonly Reading[], most: number): number {
    return countMessages(this.#sql, this.#held.execution_id, { readings, after: this.cursor(role), limit: most });
  }

  async step(step: Step): Promise<boolean> {
    const types = await this.#store.write((tx) => this.#commit(tx, step));
    if (types === undefined) return false;
    this.#options.onCommitted(types, step);
    return true;
  }

  stepAtOnce(step: Step): void {
    this.#store.writeAtOnce((tx) => void this.#commit(tx, step));
  }

  /** The types of the messages that the step recorded and released; undefined if its cursor was elsewhere. */
  #commit(tx: Transaction, step: Step): MessageType[] | undefined {
    const { execution_id, run_number, epoch } = this.#held;
    requireOwnership(tx, execution_id, epoch);
    if (step.cursor !== undefined && !moveCursor(tx, execution_id, step.cursor)) return undefined;
    for (const id of step.takes ?? []) noteApplied(tx, id);
    for (const { id, code, reason } of step.refuses ?? []) noteRefused(tx, id, code, reason);
    // A function may read the store: write pending rows first.
    if (typeof step.says === 'function') tx.settle();
    const drafts = typeof step.says === 'function' ? step.says() : step.says;
    const envelope = envelopeOf(step, this.#held);
    const recorded = drafts.map((draft) =>
      // Two spreads: listing properties after a spread is four times as slow, and this runs for every message.
      this.#store.messages.record(tx, { ...draft, ...envelope }, this.#circumstancesOf(draft, envelope)),
    );
    // A repeated step records nothing new, and was logged the first time.
    const isRepetition = recorded.length > 0 && recorded.every(({ isNew }) => !isNew);
    const origin = { agent: step.sender, execution_id, run_id: String(run_number) };
    for (const line of isRepetition ? [] : (step.logs ?? [])) this.#options.writeLogLine(tx, line, origin);
    return [...drafts.map((draft) => draft.msg_type), ...recorded.flatMap(({ released }) => released ?? [])];
  }

  /** Not sent: control rows, which the driver reads from the store, and messages of hosted workers, which are for the recorder. */
  #circumstancesOf({ msg_type }: Draft, { timestamp: recordedAt }: StepEnvelope): Circumstances {
    const { destination } = vocabulary[msg_type];
    const goesOut = this.#held.isOverBroker === true && destination !== 'control' && destination !== 'results';
    return goesOut ? { recordedAt, goesOut } : { recordedAt };
  }
}

/** The envelope shared by all messages of a step. */
type StepEnvelope = ReturnType<typeof envelopeOf>;

const envelopeOf = ({ sender, tick }: Step, { namespace, execution_id, run_number }: HeldExecution) => ({
  sender,
  namespace,
  execution_id,
  run_id: String(run_number),
  timestamp: utcNow(),
  // Microseconds are enough, and sums of decimals stay readable.
  simulation_tick: Math.round(tick * 1e6) / 1e6,
});
