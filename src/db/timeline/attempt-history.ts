import type { Steps } from '../../lib/steps.ts';
import { indexPredicates } from '../migrations/index-predicates.ts';
import { numberOf } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';
import { AttemptColumns, attemptsAsText, takeAttempts } from './attempt-columns.ts';

/** Rows per step: about ten milliseconds. */
const rowsOfStep = 3000;

/** The messages that move a slice. Their ids have its name after the type. */
const moving = ['slice', 'slice_started', 'slice_result', 'slice_returned'];

/**
 * The attempts of one execution, kept in step with the store: read once in pieces, then updated from the messages since. A piece takes about ten
 * milliseconds, so that other requests are answered in between. Only rows of the projection are read, never message contents: the projection alone
 * judges messages that come late, twice or against the rules.
 */
export class AttemptHistory {
  readonly columns = new AttemptColumns();
  readonly #sql: Prepare;
  readonly #id: string;
  readonly #isObserved: boolean;
  /** Keys up to which slices and earlier attempts have been read; undefined: all have. */
  #slicesRead: number | undefined = 0;
  #earlierRead: string | undefined = '';
  /** Messages up to these places have been followed. */
  #seq: number;
  #lateSeq: number;

  constructor(sql: Prepare, executionId: string) {
    this.#sql = sql;
    this.#id = executionId;
    this.#isObserved = sql('SELECT 1 FROM observed_runs WHERE execution_id = ?').has(executionId);
    // Messages from now on are followed afterwards, even if a piece already reflects them.
    this.#seq = this.#newest();
    this.#lateSeq = this.#maxOf('SELECT max(late_seq) FROM late_messages WHERE execution_id = ?');
  }

  /** The place in the log that the columns reflect. */
  get seq(): number {
    return this.#seq;
  }

  /** Whether another log has replaced the followed one. */
  isOutdated(): boolean {
    return this.#newest() < this.#seq;
  }

  /** Brings the columns up to date. Take each step in a snapshot; the columns reflect the last one. */
  *follow(): Steps<AttemptColumns> {
    while (this.#slicesRead !== undefined) {
      this.#readSlices(this.#slicesRead);
      yield;
    }
    while (this.#earlierRead !== undefined) {
      this.#readEarlier(this.#earlierRead);
      yield;
    }
    while (!this.#followMessages()) yield;
    return this.columns;
  }

  #readSlices(after: number): void {
    const among = 'FROM tf_slices INDEXED BY tf_slices_execution WHERE execution_id = ? AND seq > ?';
    const last = this.#endOfPiece('seq', among, after);
    this.#slicesRead = last;
    if (last !== undefined) this.#take('current', `${among} AND seq <= ?`, this.#id, after, last);
  }

  #readEarlier(after: string): void {
    const among =
      'FROM earlier_attempts INDEXED BY earlier_attempts_execution WHERE execution_id = ? AND slice_filename > ?';
    const last = this.#endOfPiece('slice_filename', among, after);
    this.#earlierRead = last;
    if (last === undefined) return;
    const from = `FROM (SELECT DISTINCT slice_filename, execution_id ${among} AND slice_filename <= ?)
      CROSS JOIN earlier_attempts AS a USING (slice_filename, execution_id) CROSS JOIN tf_slices AS s USING (slice_filename, execution_id)`;
    this.#take('earlier', from, this.#id, after, last);
  }

  /** The last key of the piece after a key; undefined if no rows follow. */
  #endOfPiece<Key extends string | number>(key: string, among: string, after: Key): Key | undefined {
    const last = this.#sql<Key | null>(`SELECT max(${key}) FROM (SELECT ${key} ${among} ORDER BY ${key} LIMIT ?)`);
    return last.value(this.#id, after, rowsOfStep) ?? undefined;
  }

  /** Takes the attempts that a query returns as text. @param from the rest of the SELECT, from FROM on */
  #take(kind: 'current' | 'earlier', from: string, ...values: (string | number)[]): void {
    const text = this.#sql<string | null>(`SELECT ${attemptsAsText(kind, this.#isObserved)} ${from}`).value(...values);
    takeAttempts(text ?? '', this.columns);
  }

  /** Rereads the slices that messages since have moved. @returns whether no such messages are left */
  #followMessages(): boolean {
    const messages = this.#sql<{ seq: number; message_id: string }>(
      `SELECT seq, message_id FROM message_rows INDEXED BY message_rows_execution
       WHERE execution_no = ${numberOf('?')} AND seq > ? ORDER BY seq LIMIT ?`,
    ).all(this.#id, this.#seq, rowsOfStep);
    const late = this.#sql<{ late_seq: number; message_id: string }>(
      `SELECT late_seq, message_id FROM late_messages JOIN message_rows USING (seq) WHERE execution_id = ? AND late_seq > ? ORDER BY late_seq`,
    ).all(this.#id, this.#lateSeq);
    const { moved, hasEnded } = this.#movedBy([...messages, ...late]);
    if (messages.length > 0) for (const slice of this.#movedOfOthers()) moved.add(slice);
    if (moved.size > 0) this.#readAgain([...moved]);
    if (hasEnded) this.#readAbandoned();
    this.#lateSeq = late.at(-1)?.late_seq ?? this.#lateSeq;
    this.#seq = messages.at(-1)?.seq ?? this.#seq;
    return messages.length < rowsOfStep;
  }

  /** The slices that message ids name, and whether a message ends the execution. */
  #movedBy(messages: readonly { message_id: string }[]): { moved: Set<string>; hasEnded: boolean } {
    const moved = new Set<string>();
    let hasEnded = false;
    for (const { message_id } of messages) {
      const [type = '', slice] = message_id.slice(this.#id.length + 1).split('/', 2);
      if (type === 'workflow_ended') hasEnded = true;
      if (slice !== undefined && moving.includes(type)) moved.add(slice);
    }
    return { moved, hasEnded };
  }

  /** The slices of an observed execution with messages since, whose ids do not name the slices. */
  #movedOfOthers(): string[] {
    return this.#sql<string>(
      `SELECT DISTINCT key FROM message_subjects INDEXED BY message_subjects_attempt
       WHERE execution_id = ? AND ${indexPredicates.deciding} AND seq > ?`,
    ).values(this.#id, this.#seq);
  }

  #readAgain(slices: readonly string[]): void {
    const isAmong = 'slice_filename IN (SELECT value FROM json_each(?))';
    const values = [JSON.stringify(slices), this.#id];
    this.#take('current', `FROM tf_slices WHERE ${isAmong} AND execution_id = ?`, ...values);
    const earlier = 'FROM earlier_attempts AS a JOIN tf_slices AS s USING (slice_filename, execution_id)';
    this.#take('earlier', `${earlier} WHERE a.${isAmong} AND s.execution_id = ?`, ...values);
  }

  /** The end of a stopped execution takes slices from their workers without a message about each. */
  #readAbandoned(): void {
    this.#take(
      'current',
      `FROM tf_slices INDEXED BY tf_slices_open
       WHERE execution_id = ? AND status = 'queued' AND ${indexPredicates.openSlice} AND left_by IS NOT NULL`,
      this.#id,
    );
  }

  #newest(): number {
    return this.#maxOf(
      `SELECT max(seq) FROM message_rows INDEXED BY message_rows_execution WHERE execution_no = ${numberOf('?')}`,
    );
  }

  #maxOf(question: string): number {
    return this.#sql<number | null>(question).value(this.#id) ?? 0;
  }
}

/** Attempts to keep in memory, over all executions: about 30 MB. */
const maxAttempts = 500_000;

/** Executions to keep in memory: each call looks at all of them. */
const maxHistories = 600;

/** The history of an execution. Call it in a snapshot. */
export type HistoryOf = (executionId: string) => AttemptHistory;

/** Keeps the histories of the most recently asked executions. */
export function rememberHistories(sql: Prepare): HistoryOf {
  /** In the order of use, most recent last. */
  const known = new Map<string, AttemptHistory>();
  return (executionId) => {
    const before = known.get(executionId);
    const history = before === undefined || before.isOutdated() ? new AttemptHistory(sql, executionId) : before;
    known.delete(executionId);
    known.set(executionId, history);
    forgetOldest(known);
    return history;
  };
}

function forgetOldest(known: Map<string, AttemptHistory>): void {
  const [oldest] = known.keys();
  if (known.size > maxHistories && oldest !== undefined) known.delete(oldest);
  let attempts = 0;
  for (const [id, { columns }] of [...known].toReversed()) {
    attempts += columns.length;
    if (attempts > maxAttempts && attempts > columns.length) known.delete(id);
  }
}
