import type {
  Journal,
  LoggedMessage,
  OpenSlice,
  Reading,
  Overview,
  SliceQueue,
  SliceStanding,
  Step,
} from '../../agents/ports.ts';
import { type Phase, workersMayTake } from '../../domain/run-phases.ts';
import type { SliceStatus } from '../../domain/slice-states.ts';
import { SwfError } from '../../lib/errors.ts';
import { utcNow } from '../../lib/time.ts';
import { decodeMessage, type Draft, type Message, type MessageType, vocabulary } from '../../messages/vocabulary.ts';
import { countsOf } from '../lists/executions.ts';
import { type LogWriter } from '../lists/logs.ts';
import { isWaitingCommand } from '../lists/messages.ts';
import { createRecorder } from '../log/message-writer.ts';
import type { Circumstances } from '../log/rows.ts';
import { isRemoved } from '../maintenance/removals.ts';
import type { LivenessTest } from '../presence/leases.ts';
import { lostStarts, mostLostStarts } from '../presence/lost-starts.ts';
import type { Store } from '../sqlite/open-store.ts';
import { type Prepare, preparer } from '../sqlite/statements.ts';

/** An execution as a process works on it. */
export interface HeldExecution {
  execution_id: string;
  run_number: number;
  namespace: string;
  /** Proves a driver's ownership; agents of other processes have none. */
  epoch?: number;
  /** The process that sends what is recorded here over the broker, where the execution runs over one. */
  outboxOwner?: number;
}

export interface ExecutionAccess {
  journal: Journal;
  overview: Overview;
  queue: SliceQueue;
}

export interface JournalOptions {
  writeLog: LogWriter;
  isAlive: LivenessTest;
  /** Told the types of what a step recorded, after the commit. */
  onCommitted: (types: MessageType[], step: Step) => void;
}

/** One execution's log for those who work on it in this process. */
export function openJournal(store: Store, held: HeldExecution, options: JournalOptions): ExecutionAccess {
  const { writeLog, isAlive, onCommitted } = options;
  const sql = preparer(store.db);
  const recorder = createRecorder(store.db);
  const { execution_id } = held;

  /** Control rows are read from the store by the driver and never sent. */
  const outboxFor = ({ msg_type }: Draft): Circumstances =>
    held.outboxOwner === undefined || vocabulary[msg_type].destination === 'control'
      ? {}
      : { outboxOwner: held.outboxOwner };

  const commit = (step: Step): MessageType[] | undefined => {
    requireOwnership(sql, held);
    if (step.cursor !== undefined && !moveCursor(sql, execution_id, step.cursor)) return undefined;
    for (const id of step.takes ?? []) {
      sql(`UPDATE workflow_messages SET effect = 'applied', effect_reason = NULL WHERE message_id = ?`).run(id);
    }
    for (const { id, reason } of step.refuses ?? [])
      sql('UPDATE workflow_messages SET effect_reason = ? WHERE message_id = ?').run(reason, id);
    const drafts = typeof step.says === 'function' ? step.says() : step.says;
    const timestamp = utcNow();
    const recorded = drafts.map((draft) => recorder.record(stamp(draft, step, held, timestamp), outboxFor(draft)));
    // A step that is made again says nothing new, and was logged when it was made first.
    const isRepetition = recorded.length > 0 && recorded.every(({ isNew }) => !isNew);
    for (const line of isRepetition ? [] : (step.logs ?? []))
      writeLog(line, { agent: step.sender, execution_id, run_id: String(held.run_number) });
    return [...drafts.map((draft) => draft.msg_type), ...recorded.flatMap(({ released }) => released ?? [])];
  };

  const journal: Journal = {
    cursor: (role) =>
      sql<[string, string], { seq: number }>('SELECT seq FROM cursors WHERE execution_id = ? AND role = ?').get(
        execution_id,
        role,
      )?.seq ?? 0,
    read: (readings, after, limit) => readMessages(sql, execution_id, { readings, after, limit }),
    readLate: (readings, after, limit) => readLateMessages(sql, execution_id, { readings, after, limit }),
    message(id) {
      const row = sql<[string], { payload: string }>('SELECT payload FROM workflow_messages WHERE message_id = ?').get(
        id,
      );
      return row === undefined ? undefined : decoded(row.payload);
    },
    behind(role, readings, most) {
      const after = journal.cursor(role);
      const counts = readings.map((reading) => {
        const { where, values } = conditionOf(reading);
        return sql<unknown[], { n: number }>(
          `SELECT count(*) AS n FROM (SELECT 1 FROM workflow_messages INDEXED BY workflow_messages_type
             WHERE execution_id = ? AND ${where} AND seq > ? LIMIT ?)`,
        ).get(execution_id, ...values, after, most)?.n;
      });
      return counts.reduce<number>((sum, n) => sum + (n ?? 0), 0);
    },
    async step(step) {
      const types = await store.write(() => commit(step));
      if (types === undefined) return false;
      onCommitted(types, step);
      return true;
    },
  };
  return { journal, overview: openOverview(sql, held), queue: openQueue(sql, held, isAlive) };
}

/** A driver that was thought dead and wakes up late must not write any more. */
function requireOwnership(sql: Prepare, { execution_id, epoch }: HeldExecution): void {
  const owner = sql<[string], { epoch: number }>('SELECT epoch FROM execution_owners WHERE execution_id = ?').get(
    execution_id,
  );
  if (epoch === undefined || owner?.epoch === epoch) return;
  throw new SwfError('EXECUTION_IN_USE', `${execution_id} has been taken over by another process; this one ends`);
}

function moveCursor(sql: Prepare, executionId: string, { role, from, to }: NonNullable<Step['cursor']>): boolean {
  const { changes } =
    from === 0
      ? sql(
          `INSERT INTO cursors (execution_id, role, seq) VALUES (?, ?, ?)
           ON CONFLICT (execution_id, role) DO UPDATE SET seq = excluded.seq WHERE seq = 0`,
        ).run(executionId, role, to)
      : sql('UPDATE cursors SET seq = ? WHERE execution_id = ? AND role = ? AND seq = ?').run(
          to,
          executionId,
          role,
          from,
        );
  return changes === 1;
}

function stamp(draft: Draft, step: Step, held: HeldExecution, timestamp: string): Message {
  return {
    ...draft,
    sender: step.sender,
    namespace: held.namespace,
    execution_id: held.execution_id,
    run_id: String(held.run_number),
    timestamp,
    // Microseconds are enough, and sums of decimals stay readable.
    simulation_tick: Math.round(step.tick * 1e6) / 1e6,
  };
}

/** A row of the log that had an effect could be read when it was recorded. */
function decoded(payload: string): Message {
  const result = decodeMessage(payload);
  if (result.kind !== 'message') throw new Error('a recorded message can no longer be read');
  return result.message;
}

/**
 * A row that had an effect is JSON. The type, which is of our vocabulary, is part of the statement: with a value in its place
 * SQLite plans anew at each call, since which partial index fits depends on it.
 */
function conditionOf(reading: Reading): { where: string; values: string[] } {
  const ofType = (type: MessageType): string => `message_type = '${type}' AND effect = 'applied'`;
  if (typeof reading === 'string') return { where: ofType(reading), values: [] };
  return { where: `${ofType(reading.msg_type)} AND json_extract(payload, '$.state') = ?`, values: [reading.state] };
}

function readMessages(
  sql: Prepare,
  executionId: string,
  { readings, after, limit }: { readings: readonly Reading[]; after: number; limit: number },
): { messages: LoggedMessage[]; seen: number } {
  const newest = sql<[string], { seq: number | null }>(
    'SELECT max(seq) AS seq FROM workflow_messages WHERE execution_id = ?',
  ).get(executionId);
  const upTo = newest?.seq ?? 0;
  // Each type by its index, or the few of one's own would be looked for among all others; it is named, since SQLite takes a shorter
  // one for a better one. What other processes record meanwhile is left to the next look, or a later message of one type would hide an earlier one of another.
  const rows = readings.flatMap((reading) => {
    const { where, values } = conditionOf(reading);
    return sql<unknown[], { seq: number; payload: string }>(
      `SELECT seq, payload FROM workflow_messages INDEXED BY workflow_messages_type
       WHERE execution_id = ? AND ${where} AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?`,
    ).all(executionId, ...values, after, upTo, limit);
  });
  const messages = rows
    .toSorted((a, b) => a.seq - b.seq)
    .slice(0, limit)
    .map(({ seq, payload }) => ({ seq, message: decoded(payload) }));
  const last = messages.at(-1)?.seq ?? after;
  return { messages, seen: messages.length < limit ? Math.max(upTo, last) : last };
}

/** There are few, so each is looked at. */
function readLateMessages(
  sql: Prepare,
  executionId: string,
  { readings, after, limit }: { readings: readonly Reading[]; after: number; limit: number },
): { messages: LoggedMessage[]; seen: number } {
  const rows = sql<[string, number, number], { late_seq: number; payload: string }>(
    `SELECT late_seq, payload FROM late_messages AS l JOIN workflow_messages USING (seq)
     WHERE l.execution_id = ? AND late_seq > ? ORDER BY late_seq LIMIT ?`,
  ).all(executionId, after, limit);
  const messages = rows.map(({ late_seq, payload }) => ({ seq: late_seq, message: decoded(payload) }));
  return {
    messages: messages.filter(({ message }) => isRead(message, readings)),
    seen: rows.at(-1)?.late_seq ?? after,
  };
}

function isRead(message: Message, readings: readonly Reading[]): boolean {
  const { state } = message as { state?: string };
  return readings.some((reading) =>
    typeof reading === 'string'
      ? reading === message.msg_type
      : reading.msg_type === message.msg_type && reading.state === state,
  );
}

function openOverview(sql: Prepare, { execution_id, run_number }: HeldExecution): Overview {
  return {
    phase: () =>
      sql<[number], { phase: Phase }>('SELECT phase FROM run_states WHERE run_number = ?').get(run_number)?.phase ??
      'none',
    counts: () => countsOf(sql, run_number),
    isSettled: () =>
      sql<[number], { settled: number }>(
        `SELECT phase = 'completed' AND stfs_ready = stfs_announced AND stfs_announced = runs.total_stf_files
           AND tf_files_received = samples_expected AND slices_created = slices_expected
           AND slices_completed + slices_exhausted = slices_created AS settled
         FROM run_states JOIN runs USING (run_number) WHERE run_number = ?`,
      ).get(run_number)?.settled === 1,
    pendingStop() {
      const message = waitingCommand(sql, execution_id, `= 'stop_workflow'`);
      return message?.msg_type === 'stop_workflow' ? message : undefined;
    },
    pendingPause() {
      const message = waitingCommand(sql, execution_id, `IN ('pause_workflow', 'resume_workflow')`);
      return message?.msg_type === 'pause_workflow' || message?.msg_type === 'resume_workflow' ? message : undefined;
    },
  };
}

function waitingCommand(sql: Prepare, executionId: string, types: string): Message | undefined {
  const row = sql<[string], { payload: string }>(
    `SELECT payload FROM workflow_messages
     WHERE execution_id = ? AND ${isWaitingCommand} AND message_type ${types} ORDER BY seq LIMIT 1`,
  ).get(executionId);
  return row === undefined ? undefined : decoded(row.payload);
}

function standingOf(
  sql: Prepare,
  executionId: string,
  { filename, attempt }: { filename: string; attempt: number },
  isAlive: LivenessTest,
): SliceStanding {
  const execution = sql<[string], { status: string }>(
    'SELECT status FROM workflow_executions WHERE execution_id = ?',
  ).get(executionId);
  // A worker that does not know the run works: the broker gave it the slice. One that has been pruned is known to be over.
  if (execution === undefined) return isRemoved(sql, executionId) ? 'over' : 'open';
  if (execution.status !== 'running') return 'over';
  const slice = sql<[string], { status: SliceStatus; attempt: number }>(
    'SELECT status, attempt FROM tf_slices WHERE slice_filename = ?',
  ).get(filename);
  if (slice === undefined || slice.attempt < attempt) return 'open';
  if (slice.attempt > attempt || slice.status === 'completed' || slice.status === 'failed') return 'over';
  const lost = lostStarts(sql, { execution_id: executionId, slice_filename: filename, attempt }, isAlive);
  return lost.length >= mostLostStarts ? 'given up' : 'open';
}

/** In the words of the index, or SQLite would not use it. */
const isOpenSlice = `status IN ('queued', 'processing', 'failed')`;

function openQueue(sql: Prepare, { execution_id, run_number }: HeldExecution, isAlive: LivenessTest): SliceQueue {
  const columns = 'slice_id, slice_filename, tf_filename, stf_filename, tf_first, tf_last, tf_count, attempt';
  const select = (status: 'queued' | 'processing', limit: number): OpenSlice[] =>
    sql<[string, number], OpenSlice>(
      `SELECT ${columns} FROM tf_slices WHERE execution_id = ? AND status = '${status}' AND ${isOpenSlice} ORDER BY seq LIMIT ?`,
    ).all(execution_id, limit);
  return {
    isOpen() {
      const row = sql<[number], { phase: Phase }>('SELECT phase FROM run_states WHERE run_number = ?').get(run_number);
      // A worker that does not know the run works (contract §2).
      return row === undefined || workersMayTake(row.phase);
    },
    queued: (limit) => select('queued', limit),
    inProcess: () => select('processing', -1),
    standing: (filename, attempt) => standingOf(sql, execution_id, { filename, attempt }, isAlive),
  };
}
