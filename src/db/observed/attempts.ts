import type { ResultFact, ResultKey, SliceFact, ToldSlice } from '../../observed/reading/fact.ts';
import { attemptColumns, type AttemptRow, attemptsOf } from './attempt-rows.ts';
import { type ObservedScope, type SaidFact, saidAt, timeOf } from './said.ts';
import { noteSample, rebuildSlice } from './slice-rows.ts';
import { noteRepeat } from './standing.ts';
import { noteRegistration, toldSlice } from './told-slices.ts';

type SaidSlice = SaidFact<SliceFact>;
type SaidResult = SaidFact<ResultFact>;

/** Each `req_id` of a slice is an attempt at it; a repeated one is the same message delivered again. */
export function sliceSaid(scope: ObservedScope, said: SaidSlice): void {
  const { slice_filename } = said.fact;
  const known = attemptsOf(scope, slice_filename).find((attempt) => isSameAttempt(attempt, said.fact));
  if (known === undefined) {
    insertAttempt(scope, said.fact, said.seq);
    countWithout(scope, said.fact, 1);
  } else if (known.slice_seq !== said.seq) addDelivery(scope, known, said);
  rebuildSlice(scope, slice_filename, said);
}

function isSameAttempt(attempt: AttemptRow, { req_id, requested_at }: SliceFact): boolean {
  if (attempt.req_id !== null || req_id !== undefined) return attempt.req_id === req_id;
  return attempt.requested_at === (requested_at ?? null);
}

type AttemptNames = Pick<SliceFact, 'slice_filename' | 'req_id' | 'tf_slice_id' | 'requested_at'>;

/** Adds an attempt, with the results that waited for it. @param seq the message that tells of it */
function insertAttempt(scope: ObservedScope, names: AttemptNames, seq: number): void {
  const { tx, sql, execution_id } = scope;
  const { slice_filename, req_id = null, tf_slice_id = null, requested_at = null } = names;
  const { lastInsertRowid } = sql(
    `INSERT INTO observed_attempts (execution_id, slice_filename, req_id, tf_slice_id, requested_at, slice_seq) VALUES (?, ?, ?, ?, ?, ?)`,
  ).run(execution_id, slice_filename, req_id, tf_slice_id, requested_at, seq);
  for (const waiting of unmatchedFor(scope, names)) {
    const result = saidAt<ResultFact>(tx, waiting);
    sql('DELETE FROM unmatched_results WHERE seq = ?').run(waiting);
    addTo(scope, 'results_unmatched', -1);
    if (result !== undefined) giveResult(scope, Number(lastInsertRowid), result);
  }
}

function addDelivery(scope: ObservedScope, known: AttemptRow, said: SaidSlice): void {
  const before = saidAt<SliceFact | ToldSlice>(scope.tx, known.slice_seq);
  if (before === undefined) return;
  if (isSlice(before)) {
    if (!noteRepeat(scope.tx, said, before)) return;
    countWithout(scope, before.fact, -1);
  } else addTo(scope, 'slices_unheard', -1);
  const { tf_slice_id = null, requested_at = null } = said.fact;
  const update = scope.sql(
    'UPDATE observed_attempts SET slice_seq = ?, tf_slice_id = ?, requested_at = ? WHERE attempt_key = ?',
  );
  update.run(said.seq, tf_slice_id, requested_at, known.attempt_key);
  countWithout(scope, said.fact, 1);
}

const isSlice = (said: SaidFact<SliceFact | ToldSlice>): said is SaidSlice => said.fact.kind === 'slice';

function countWithout(scope: ObservedScope, { namesExecution }: SliceFact, n: number): void {
  if (!namesExecution) addTo(scope, 'without_execution', n);
}

/** The recorded results for the same attempt: the standing one and its repetitions; without an attempt, results that wait for their slice. */
function resultsLike(scope: ObservedScope, key: ResultKey, attempt: AttemptRow | undefined): readonly number[] {
  if (attempt === undefined) return unmatchedBy(scope, key);
  const { result_seq } = attempt;
  if (result_seq === null) return [];
  const repeats = scope.sql<[number], number>('SELECT seq FROM repeated_messages WHERE stands_seq = ?');
  return [result_seq, ...repeats.values(result_seq)];
}

/**
 * Matches a result that came by REST with the same message on the bus, which tells more, by its whole text: compared with the recorded results for its
 * attempt, it is new, a copy of one, or the original of a recorded copy, which it has replaced.
 */
function joinCopies(
  scope: ObservedScope,
  said: SaidResult,
  attempt: AttemptRow | undefined,
): 'new' | 'copy' | 'original' {
  const others = resultsLike(scope, said.fact.key, attempt);
  if (others.length === 0) return 'new';
  const isCopy = said.fact.copyOf !== undefined;
  const text = textOf(scope, said);
  for (const seq of others) {
    const other = seq === said.seq ? undefined : saidAt<ResultFact>(scope.tx, seq);
    if (other === undefined || textOf(scope, other) !== text) continue;
    if (isCopy) return 'copy';
    if (other.fact.copyOf === undefined) continue;
    replaceCopy(scope, attempt, seq, said.seq);
    return 'original';
  }
  return 'new';
}

/** Replaces the copy from REST with the message of the bus. */
function replaceCopy({ sql }: ObservedScope, attempt: AttemptRow | undefined, copy: number, message: number): void {
  if (attempt?.result_seq === copy)
    sql('UPDATE observed_attempts SET result_seq = ? WHERE attempt_key = ?').run(message, attempt.attempt_key);
  for (const [table, column] of [
    ['unmatched_results', 'seq'],
    ['repeated_messages', 'seq'],
    ['repeated_messages', 'stands_seq'],
  ] as const)
    sql(`UPDATE ${table} SET ${column} = ? WHERE ${column} = ?`).run(message, copy);
}

const textOf = ({ sql }: ObservedScope, { seq, fact }: SaidResult): string =>
  fact.copyOf ?? sql<[number], string>('SELECT body FROM message_rows WHERE seq = ?').value(seq) ?? '';

/** Gives a result to the slice that it names. If that was not heard, the result waits for it. */
export function resultSaid(scope: ObservedScope, said: SaidResult): void {
  const named = attemptFor(scope, said.fact.key);
  const joined = joinCopies(scope, said, named);
  if (joined === 'original') rebuildAfter(scope, said);
  if (joined === 'copy') noteToldSlice(scope, said);
  if (joined !== 'new') return;
  const attempt = named ?? unheardAttempt(scope, said);
  if (attempt !== undefined) {
    giveResult(scope, attempt.attempt_key, said);
    return rebuildSlice(scope, attempt.slice_filename, said);
  }
  const { changes } = scope
    .sql(
      'INSERT INTO unmatched_results (seq, execution_id, result_key, slice_filename) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
    )
    .run(said.seq, scope.execution_id, keyText(said.fact.key), toldSliceName(said.fact));
  addTo(scope, 'results_unmatched', changes);
}

/** The slice that a result told by REST names; null for a result on the bus. */
const toldSliceName = ({ copyOf, slice_filename }: ResultFact): string | null =>
  copyOf === undefined ? null : (slice_filename ?? null);

/** REST also tells a result on the bus whose slice was not heard: the slice's registration identifies it. */
function noteToldSlice(scope: ObservedScope, said: SaidResult): void {
  if (attemptFor(scope, said.fact.key) !== undefined) return;
  scope
    .sql('UPDATE unmatched_results SET slice_filename = ? WHERE execution_id = ? AND result_key = ?')
    .run(toldSliceName(said.fact), scope.execution_id, keyText(said.fact.key));
  unheardAttempt(scope, said);
}

/** Notes a slice's registration, and applies a result that REST told before it. */
export function sliceTold(scope: ObservedScope, { fact: { slice_filename }, seq }: SaidFact<ToldSlice>): void {
  noteRegistration(scope, slice_filename, seq);
  const waiting = scope.sql<[string, string], number>(
    'SELECT seq FROM unmatched_results WHERE execution_id = ? AND slice_filename = ? ORDER BY result_key LIMIT 1',
  );
  const result = saidAt<ResultFact>(scope.tx, waiting.value(scope.execution_id, slice_filename));
  if (result !== undefined) unheardAttempt(scope, { ...result, fact: { ...result.fact, copyOf: '', slice_filename } });
}

/**
 * Adds the attempt of a slice that REST registered and gave a result: it was sent, though unheard. Undefined if that is not so, or if an attempt
 * was heard: then the result is of another one.
 */
function unheardAttempt(scope: ObservedScope, said: SaidResult): AttemptRow | undefined {
  const { fact } = said;
  const { slice_filename, requested_at, key, copyOf } = fact;
  if (copyOf === undefined || slice_filename === undefined || attemptsOf(scope, slice_filename).length > 0)
    return undefined;
  const registered = toldSlice(scope, slice_filename);
  if (registered === undefined) return undefined;
  const req_id = key.by === 'request' ? key.value : undefined;
  insertAttempt(scope, { slice_filename, req_id, tf_slice_id: undefined, requested_at }, registered.seq);
  addTo(scope, 'slices_unheard', 1);
  noteSample(scope, { ...registered.fact, requested_at }, { isNew: true, at: timeOf(registered) });
  rebuildSlice(scope, slice_filename, said);
  return attemptFor(scope, key);
}

/** Rebuilds the slice of a recorded result that is now earlier, or tells more. */
export function rebuildAfter(scope: ObservedScope, said: SaidResult): void {
  const attempt = attemptFor(scope, said.fact.key);
  if (attempt?.result_seq === said.seq) rebuildSlice(scope, attempt.slice_filename, said);
}

/** Gives an attempt its result. Of several, `done` wins over `failed`, then the first one processed. */
function giveResult(scope: ObservedScope, attemptKey: number, said: SaidResult): void {
  const { tx, sql } = scope;
  const known = sql<[number], number | null>('SELECT result_seq FROM observed_attempts WHERE attempt_key = ?');
  const before = saidAt<ResultFact>(tx, known.value(attemptKey));
  if (before?.seq === said.seq) return;
  if (before !== undefined) {
    addTo(scope, 'results_repeated', 1);
    if (!noteRepeat(tx, said, before, isBetter(said, before))) return;
  }
  const { panda_task_id = null, panda_id = null } = said.fact;
  const update = sql(
    'UPDATE observed_attempts SET result_seq = ?, panda_task_id = ?, panda_id = ? WHERE attempt_key = ?',
  );
  update.run(said.seq, panda_task_id, panda_id, attemptKey);
}

function isBetter(a: SaidResult, b: SaidResult): boolean {
  if (a.fact.state !== b.fact.state) return a.fact.state === 'done';
  const [first, second] = [a.fact.processed_at ?? '~', b.fact.processed_at ?? '~'];
  return first === second ? a.message_id < b.message_id : first < second;
}

const attemptBy = {
  request: 'req_id = ? AND execution_id = ? AND req_id IS NOT NULL',
  id: 'tf_slice_id = ? AND execution_id = ? AND tf_slice_id IS NOT NULL',
  name: 'slice_filename = ? AND execution_id = ?',
  time: 'requested_at = ? AND execution_id = ? AND requested_at IS NOT NULL',
} as const satisfies Record<ResultKey['by'], string>;

/** The matching attempt; of several, the first by what its sender says. */
const attemptFor = ({ sql, execution_id }: ObservedScope, key: ResultKey): AttemptRow | undefined =>
  sql<[string, string], AttemptRow>(
    `SELECT ${attemptColumns} FROM observed_attempts WHERE ${attemptBy[key.by]} ORDER BY requested_at, slice_filename, req_id LIMIT 1`,
  ).get(key.value, execution_id);

const keyText = (key: ResultKey): string => `${key.by} ${key.value}`;

/** The results with this key that wait for their slice. */
const unmatchedBy = ({ sql, execution_id }: ObservedScope, key: ResultKey): number[] =>
  sql<[string, string], number>('SELECT seq FROM unmatched_results WHERE execution_id = ? AND result_key = ?').values(
    execution_id,
    keyText(key),
  );

/** The unmatched results that name a slice. */
function unmatchedFor(scope: ObservedScope, names: AttemptNames): number[] {
  const keys = [
    { by: 'name', value: names.slice_filename },
    { by: 'request', value: names.req_id },
    { by: 'id', value: names.tf_slice_id },
    { by: 'time', value: names.requested_at },
  ] as const;
  return keys.flatMap(({ by, value }) => (value === undefined ? [] : unmatchedBy(scope, { by, value })));
}

function addTo({ sql, execution_id }: ObservedScope, column: string, n: number): void {
  if (n !== 0) sql(`UPDATE observed_runs SET ${column} = ${column} + ? WHERE execution_id = ?`).run(n, execution_id);
}
