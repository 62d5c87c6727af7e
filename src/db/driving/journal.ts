import type { Journal, Step } from '../../agents/ports.ts';
import { executionInUse } from '../../lib/errors.ts';
import { utcNow } from '../../lib/time.ts';
import type { Draft } from '../../messages/message.ts';
import { type MessageType, vocabulary } from '../../messages/vocabulary.ts';
import { countMessages, readLateMessages, readMessage, readMessages } from '../execution/log-reader.ts';
import { openOverview, openSliceQueue } from '../execution/overview.ts';
import { noteApplied, noteRefused } from '../log/commands.ts';
import type { LogLineWriter } from '../log/log-lines.ts';
import type { Store } from '../opening/store.ts';
import type { LivenessTest } from '../presence/leases.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** An execution that this process works on. */
export interface HeldExecution {
  execution_id: string;
  run_number: number;
  namespace: string;
  /** Proves that a driver owns the execution; undefined for agents of other processes. */
  epoch?: number;
  /** Whether the execution runs over a broker, so that rows recorded here for others are sent. */
  isOverBroker?: boolean;
}

interface JournalOptions {
  writeLogLine: LogLineWriter;
  isAlive: LivenessTest;
  /** Called after the commit of a step, with the types of its messages. */
  onCommitted: (types: MessageType[], step: Step) => void;
}

/** Opens an execution in a store for the parts of this process that work on it. */
export const openExecution = (store: Store, held: HeldExecution, options: JournalOptions) => ({
  journal: openJournal(store, held, options),
  overview: openOverview(store.sql, held.execution_id),
  queue: openSliceQueue(store.sql, held.execution_id, options.isAlive),
});

function openJournal(store: Store, held: HeldExecution, { writeLogLine, onCommitted }: JournalOptions): Journal {
  const { sql } = store;
  const { execution_id, run_number, epoch, isOverBroker = false } = held;

  /**
   * Records a step. Returns the types of the messages that were recorded or released, or undefined if the
   * step's cursor had been moved by another process.
   */
  function commit(tx: Transaction, step: Step): MessageType[] | undefined {
    requireOwnership(tx, execution_id, epoch);
    if (step.cursor !== undefined && !moveCursor(tx, execution_id, step.cursor)) return undefined;
    for (const id of step.takes ?? []) noteApplied(tx, id);
    for (const { id, code, reason } of step.refuses ?? []) noteRefused(tx, id, code, reason);
    // The function may read the store, so write pending rows first.
    if (typeof step.says === 'function') tx.settle();
    const drafts = typeof step.says === 'function' ? step.says() : step.says;
    const envelope = envelopeOf(step, held);
    const recordedAt = envelope.timestamp;
    const recorded = drafts.map((draft) =>
      // A spread creates an object that V8 reads slowly, and this runs for every message.
      store.messages.record(tx, Object.assign({}, draft, envelope), {
        recordedAt,
        goesOut: isOverBroker && isSent(draft),
      }),
    );
    // A repeated step records nothing new, and was logged the first time.
    const isRepetition = recorded.length > 0 && recorded.every(({ isNew }) => !isNew);
    const origin = { agent: step.sender, execution_id, run_id: String(run_number) };
    for (const line of isRepetition ? [] : (step.logs ?? [])) writeLogLine(tx, line, origin);
    return [...drafts.map((draft) => draft.msg_type), ...recorded.flatMap(({ released }) => released ?? [])];
  }

  const cursorOf = 'SELECT seq FROM cursors WHERE execution_id = ? AND role = ?';
  const cursor = (role: string) => sql<number>(cursorOf).value(execution_id, role) ?? 0;

  return {
    cursor,
    read: (readings, after, limit) => readMessages(sql, execution_id, { readings, after, limit }),
    readLate: (readings, after, limit) => readLateMessages(sql, execution_id, { readings, after, limit }),
    message: (id) => readMessage(sql, id),
    behind: (role, readings, limit) => countMessages(sql, execution_id, { readings, after: cursor(role), limit }),
    async step(step) {
      const types = await store.write((tx) => commit(tx, step));
      if (types === undefined) return false;
      onCommitted(types, step);
      return true;
    },
    stepAtOnce: (step) => store.writeAtOnce((tx) => void commit(tx, step)),
  };
}

/**
 * Whether a row is sent. Control rows are not sent, since the driver reads them from the store. Messages from
 * hosted workers are not sent either, since they are for the recorder.
 */
const isSent = ({ msg_type }: Draft) => !['control', 'results'].includes(vocabulary[msg_type].destination);

const envelopeOf = ({ sender, tick }: Step, { namespace, execution_id, run_number }: HeldExecution) => ({
  sender,
  namespace,
  execution_id,
  run_id: String(run_number),
  timestamp: utcNow(),
  // Rounded to microseconds, so that sums of decimals stay readable.
  simulation_tick: Math.round(tick * 1e6) / 1e6,
});

/**
 * Throws `EXECUTION_IN_USE` if a driver's epoch is not the current one: a driver that seemed dead and resumes
 * late must no longer write.
 * @param epoch undefined for agents in other processes, which need none
 */
export function requireOwnership({ sql }: Transaction, executionId: string, epoch: number | undefined) {
  if (epoch === undefined) return;
  const current = sql<number>('SELECT epoch FROM execution_owners WHERE execution_id = ?').value(executionId);
  if (current === epoch) return;
  throw executionInUse(`${executionId} has been taken over by another process; this process ends`);
}

/** Moves a consumer's cursor by compare-and-set. Returns false if another process has already moved it. */
export function moveCursor(
  { sql }: Transaction,
  executionId: string,
  { role, from, to }: { role: string; from: number; to: number },
) {
  const first = `INSERT INTO cursors (execution_id, role, seq) VALUES (?, ?, ?)
    ON CONFLICT (execution_id, role) DO UPDATE SET seq = excluded.seq WHERE seq = 0`;
  const further = 'UPDATE cursors SET seq = ? WHERE execution_id = ? AND role = ? AND seq = ?';
  const { changes } =
    from === 0 ? sql(first).run(executionId, role, to) : sql(further).run(to, executionId, role, from);
  return changes === 1;
}
