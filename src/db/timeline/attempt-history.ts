import { setNewest } from '../../lib/once-for.ts';
import type { Steps } from '../../lib/steps.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { messageColumns } from '../migrations/message-columns.ts';
import { numberOf } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { AttemptColumns, attemptsAsText, takeAttempts } from './attempt-columns.ts';

/** Number of rows per step. A step takes about ten milliseconds. */
const rowsOfStep = 3000;

/**
 * The types of messages that change a slice's state. The ids of such messages contain the slice's name after
 * the type.
 */
const moving = ['slice', 'slice_started', 'slice_result', 'slice_returned'];

function attemptReader(sql: Prepare, executionId: string) {
  const columns = new AttemptColumns();

  /**
   * Adds to the columns the attempts that a query selects.
   * @param from the rest of the SELECT: FROM and what follows
   */
  function take(kind: 'current' | 'earlier', from: string, ...values: (string | number)[]) {
    const text = sql<string | null>(`SELECT ${attemptsAsText(kind)} ${from}`).value(...values);
    takeAttempts(text ?? '', columns);
  }

  /** The last key in the piece of rows that begins after a key; undefined if no rows follow that key. */
  const endOfPiece = <Key extends string | number>(key: string, among: string, after: Key) =>
    sql<Key | null>(`SELECT max(${key}) FROM (SELECT ${key} ${among} ORDER BY ${key} LIMIT ?)`).value(
      executionId,
      after,
      rowsOfStep,
    ) ?? undefined;

  return {
    columns,
    /** Reads a piece of the slices. Returns its last key; undefined if no rows follow. */
    readSlices(after: number) {
      const among = 'FROM tf_slices INDEXED BY tf_slices_execution WHERE execution_id = ? AND seq > ?';
      const last = endOfPiece('seq', among, after);
      if (last !== undefined) take('current', `${among} AND seq <= ?`, executionId, after, last);
      return last;
    },
    /** Like `readSlices`, but for a piece of the earlier attempts. */
    readEarlier(after: string) {
      const among =
        'FROM earlier_attempts INDEXED BY earlier_attempts_execution WHERE execution_id = ? AND slice_filename > ?';
      const last = endOfPiece('slice_filename', among, after);
      const from = `FROM (SELECT DISTINCT slice_filename, execution_id ${among} AND slice_filename <= ?)
        CROSS JOIN earlier_attempts AS a USING (slice_filename, execution_id) CROSS JOIN tf_slices AS s USING (slice_filename, execution_id)`;
      if (last !== undefined) take('earlier', from, executionId, after, last);
      return last;
    },
    readAgain(slices: readonly string[]) {
      const isAmong = 'slice_filename IN (SELECT value FROM json_each(?))';
      const values = [JSON.stringify(slices), executionId];
      take('current', `FROM tf_slices WHERE ${isAmong} AND execution_id = ?`, ...values);
      const earlier = 'FROM earlier_attempts AS a JOIN tf_slices AS s USING (slice_filename, execution_id)';
      take('earlier', `${earlier} WHERE a.${isAmong} AND s.execution_id = ?`, ...values);
    },
    /**
     * Rereads slices of a stopped execution: the stop takes them from their workers without a message about
     * each.
     */
    readAbandoned: () =>
      take(
        'current',
        `FROM tf_slices INDEXED BY tf_slices_open
         WHERE execution_id = ? AND status = 'queued' AND ${indexPredicates.openSlice} AND left_by IS NOT NULL`,
        executionId,
      ),
  };
}

/**
 * The attempts of one execution, kept up to date with the store: read once in pieces, then updated according to
 * later messages. Reading a piece takes about ten milliseconds, so other requests are answered in between. Only
 * rows of the projection are read, never the contents of messages: the projection alone judges messages that
 * arrive late, twice or against the rules.
 */
export function createAttemptHistory(sql: Prepare, executionId: string) {
  const reader = attemptReader(sql, executionId);
  const maxOf = (question: string) => sql<number | null>(question).value(executionId) ?? 0;
  const newest = () =>
    maxOf(`SELECT max(seq) FROM message_rows INDEXED BY message_rows_execution WHERE execution_no = ${numberOf('?')}`);
  /** The keys up to which slices and earlier attempts have been read; undefined once all have been read. */
  let slicesRead: number | undefined = 0;
  let earlierRead: string | undefined = '';
  // Messages up to these positions have been applied. Later messages are applied once all pieces have been
  // read, even if a piece already reflects them.
  let seq = newest();
  let lateSeq = maxOf('SELECT max(late_seq) FROM late_messages WHERE execution_id = ?');

  /** Rereads the slices whose state later messages have changed. @returns whether no such messages are left */
  function followMessages() {
    const messages = sql<{ seq: number; message_id: string }>(
      `SELECT seq, ${messageColumns.message_id} AS message_id FROM message_rows INDEXED BY message_rows_execution
       WHERE execution_no = ${numberOf('?')} AND seq > ? ORDER BY seq LIMIT ?`,
    ).all(executionId, seq, rowsOfStep);
    const late = sql<{ late_seq: number; message_id: string }>(
      `SELECT late_seq, ${messageColumns.message_id} AS message_id FROM late_messages JOIN message_rows USING (seq) WHERE execution_id = ? AND late_seq > ? ORDER BY late_seq`,
    ).all(executionId, lateSeq);
    const { moved, hasEnded } = movedBy(executionId, [...messages, ...late]);
    if (messages.length > 0) for (const slice of movedOfOthers(sql, executionId, seq)) moved.add(slice);
    if (moved.size > 0) reader.readAgain([...moved]);
    if (hasEnded) reader.readAbandoned();
    lateSeq = late.at(-1)?.late_seq ?? lateSeq;
    seq = messages.at(-1)?.seq ?? seq;
    return messages.length < rowsOfStep;
  }

  return {
    columns: reader.columns,
    /** The position in the log up to which the columns are current. */
    seq: () => seq,
    /** Whether another log has replaced the one that was followed. */
    isOutdated: () => newest() < seq,
    /** Brings the columns up to date. Run each step in a snapshot; the columns reflect the last snapshot. */
    *follow(): Steps<AttemptColumns> {
      while (slicesRead !== undefined) {
        slicesRead = reader.readSlices(slicesRead);
        yield;
      }
      while (earlierRead !== undefined) {
        earlierRead = reader.readEarlier(earlierRead);
        yield;
      }
      while (!followMessages()) yield;
      return reader.columns;
    },
  };
}

export type AttemptHistory = ReturnType<typeof createAttemptHistory>;

/** The slices that the ids of an execution's messages name, and whether one of the messages ends the execution. */
function movedBy(executionId: string, messages: readonly { message_id: string }[]) {
  const moved = new Set<string>();
  let hasEnded = false;
  for (const { message_id } of messages) {
    const [type = '', slice] = message_id.slice(executionId.length + 1).split('/', 2);
    if (type === 'workflow_ended') hasEnded = true;
    if (slice !== undefined && moving.includes(type)) moved.add(slice);
  }
  return { moved, hasEnded };
}

/**
 * The slices of an observed execution that have messages after a log position. The ids of such messages do not
 * name the slices.
 */
const movedOfOthers = (sql: Prepare, executionId: string, seq: number) =>
  sql<string>(
    `SELECT DISTINCT key FROM message_subjects INDEXED BY message_subjects_attempt
     WHERE execution_id = ? AND ${indexPredicates.deciding} AND seq > ?`,
  ).values(executionId, seq);

/** Maximum number of attempts to keep in memory for all executions together: about 30 MB. */
const maxAttempts = 500_000;

/** Maximum number of executions to keep in memory, since each call examines all of them. */
const maxHistories = 600;

/** Returns the history of an execution. Call it in a snapshot. */
export type HistoryOf = (executionId: string) => AttemptHistory;

/** Keeps the histories of the most recently queried executions. */
export function rememberHistories(sql: Prepare): HistoryOf {
  /** The histories in order of use, most recently used last. */
  const known = new Map<string, AttemptHistory>();
  return (executionId) => {
    const before = known.get(executionId);
    const history = before === undefined || before.isOutdated() ? createAttemptHistory(sql, executionId) : before;
    setNewest(known, executionId, history, maxHistories);
    forgetOldest(known);
    return history;
  };
}

function forgetOldest(known: Map<string, AttemptHistory>) {
  let attempts = 0;
  for (const [id, { columns }] of [...known].toReversed()) {
    attempts += columns.length;
    if (attempts > maxAttempts && attempts > columns.length) known.delete(id);
  }
}
