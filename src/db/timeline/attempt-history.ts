import { setNewest } from '../../lib/once-for.ts';
import type { Steps } from '../../lib/steps.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { messageColumns } from '../migrations/message-columns.ts';
import { numberOf } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { AttemptColumns, attemptsAsText, takeAttempts } from './attempt-columns.ts';

/** Rows per step: about ten milliseconds. */
const rowsOfStep = 3000;

/** The messages that move a slice. Their ids have its name after the type. */
const moving = ['slice', 'slice_started', 'slice_result', 'slice_returned'];

/** Reads attempts of an execution into columns. */
function attemptReader(sql: Prepare, executionId: string) {
  const columns = new AttemptColumns();

  /** Takes the attempts that a query returns as text. @param from the rest of the SELECT, from FROM on */
  function take(kind: 'current' | 'earlier', from: string, ...values: (string | number)[]) {
    const text = sql<string | null>(`SELECT ${attemptsAsText(kind)} ${from}`).value(...values);
    takeAttempts(text ?? '', columns);
  }

  /** The last key of the piece after a key; undefined if no rows follow. */
  const endOfPiece = <Key extends string | number>(key: string, among: string, after: Key) =>
    sql<Key | null>(`SELECT max(${key}) FROM (SELECT ${key} ${among} ORDER BY ${key} LIMIT ?)`).value(
      executionId,
      after,
      rowsOfStep,
    ) ?? undefined;

  return {
    columns,
    /** Reads a piece of the slices. Returns its last key; undefined if no rows follow. */
    readSlices(after: number): number | undefined {
      const among = 'FROM tf_slices INDEXED BY tf_slices_execution WHERE execution_id = ? AND seq > ?';
      const last = endOfPiece('seq', among, after);
      if (last !== undefined) take('current', `${among} AND seq <= ?`, executionId, after, last);
      return last;
    },
    /** The same of the earlier attempts. */
    readEarlier(after: string): string | undefined {
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
    /** The end of a stopped execution takes slices from their workers without a message about each. */
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
 * The attempts of one execution, kept in step with the store: read once in pieces, then updated from the
 * messages since. A piece takes about ten milliseconds, so that other requests are answered in between. Only
 * rows of the projection are read, never message contents: the projection alone judges messages that arrive
 * late, twice or against the rules.
 */
export function createAttemptHistory(sql: Prepare, executionId: string) {
  const reader = attemptReader(sql, executionId);
  const maxOf = (question: string) => sql<number | null>(question).value(executionId) ?? 0;
  const newest = () =>
    maxOf(`SELECT max(seq) FROM message_rows INDEXED BY message_rows_execution WHERE execution_no = ${numberOf('?')}`);
  /** Keys up to which slices and earlier attempts have been read; undefined: all have. */
  let slicesRead: number | undefined = 0;
  let earlierRead: string | undefined = '';
  // Messages up to these places have been followed. Those from now on are followed afterwards, even if a
  // piece already reflects them.
  let seq = newest();
  let lateSeq = maxOf('SELECT max(late_seq) FROM late_messages WHERE execution_id = ?');

  /** Rereads the slices that later messages have moved. @returns whether no such messages are left */
  function followMessages(): boolean {
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
    /** The place in the log that the columns reflect. */
    seq: () => seq,
    /** Whether another log has replaced the followed one. */
    isOutdated: () => newest() < seq,
    /** Brings the columns up to date. Run each step in a snapshot; the columns reflect the last one. */
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

/** The slices that ids of messages of an execution name, and whether a message ends it. */
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

/** The slices of an observed execution with messages after a place, whose ids do not name the slices. */
const movedOfOthers = (sql: Prepare, executionId: string, seq: number) =>
  sql<string>(
    `SELECT DISTINCT key FROM message_subjects INDEXED BY message_subjects_attempt
     WHERE execution_id = ? AND ${indexPredicates.deciding} AND seq > ?`,
  ).values(executionId, seq);

/** Attempts to keep in memory, over all executions: about 30 MB. */
const maxAttempts = 500_000;

/** Executions to keep in memory: each call examines all of them. */
const maxHistories = 600;

/** The history of an execution. Call it in a snapshot. */
export type HistoryOf = (executionId: string) => AttemptHistory;

/** Keeps the histories of the most recently queried executions. */
export function rememberHistories(sql: Prepare): HistoryOf {
  /** In the order of use, most recent last. */
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
