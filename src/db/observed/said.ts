import { isDeepStrictEqual } from 'node:util';

import { onceFor } from '../../lib/once-for.ts';
import { objectIn, readJson } from '../../lib/read-json.ts';
import type { Repeat, Said, SaidFact } from '../../observed/folding/said.ts';
import { relatedTo, type Subject, subjectsOf } from '../../observed/folding/subjects.ts';
import type { Fact, Statement } from '../../observed/reading/fact.ts';
import type { MessageLine } from '../../observed/recording-lines.ts';
import { heardId, readStatement } from '../../observed/told/read-told.ts';
import { fullId, nameOf, numberOf, shortId } from '../migrations/names.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

export interface ObservedScope {
  tx: Transaction;
  sql: Prepare;
  execution_id: string;
  run_number: number | null;
}

/** Headers stored with a message. The broker's time is in the row itself. */
const keptHeaders: ReadonlySet<string> = new Set(['namespace', 'run_id', 'msg_type', 'client-id', 'name']);

/** The key in the stored headers that marks a body as text. No real header has this name. */
const textMark = ' text';

/** The columns from which a message is read. */
export interface StoredMessage {
  destination: string;
  body: string;
  headers: string;
  /** ISO 8601; present if requested. */
  sent_at?: string;
  recorded_at?: string;
}

/** Reads a stored message, using only its stored parts. */
export const statementOf = (row: StoredMessage) => readStatement(lineOf(row));

/** The body of a message in its stored form, and the headers to keep (JSON). */
export function storedOf(line: MessageLine) {
  const kept = Object.entries(line.headers).filter(([name]) => keptHeaders.has(name));
  const headers = JSON.stringify(Object.fromEntries('text' in line ? [...kept, [textMark, '1']] : kept));
  if ('text' in line) return { body: line.text, headers };
  return { body: JSON.stringify('body' in line ? line.body : { size: line.size, sha256: line.sha256 }), headers };
}

/** A message as received, restored from its stored parts; damaged parts are left out. */
export function lineOf({ destination, body, headers, sent_at, recorded_at = '' }: StoredMessage): MessageLine {
  const timestamp = sent_at === undefined ? {} : { timestamp: String(Date.parse(sent_at)) };
  const { [textMark]: isText, ...said } = objectIn(headers) as Record<string, string>;
  return {
    t: recorded_at,
    destination,
    headers: { ...said, ...timestamp },
    ...(isText === undefined ? { body: readJson(body) } : { text: body }),
  };
}

export const saidColumns = `seq, sent_ms, ${fullId('short_id')} AS message_id, coalesce(destination, '') AS destination, body, headers`;

/**
 * The messages that a transaction has read. They are cached, since slices, their results and REST calls about
 * both arrive together.
 */
const readIn = onceFor((_tx: Transaction) => new Map<number, SaidFact>());

/** The recorded message in a row of the log; undefined if the row has none. */
export function saidAt<F extends Fact>(tx: Transaction, seq: number) {
  const read = readIn(tx);
  const known = read.get(seq);
  if (known !== undefined) return known as SaidFact<F>;
  const row = tx.sql<Said & StoredMessage>(`SELECT ${saidColumns} FROM message_rows WHERE seq = ?`).get(seq);
  if (row === undefined) return undefined;
  const { fact } = statementOf(row);
  if (fact === undefined) return undefined;
  const said = { ...row, fact: fact as F };
  read.set(seq, said);
  return said;
}

/**
 * The id of a message, and its row if it is recorded. The same REST write in two runs is two messages: since
 * the id depends only on path and body, the run is appended to the second message's id.
 */
export function recordedAs(
  sql: Prepare,
  statement: Statement,
  { destination, body }: Pick<StoredMessage, 'destination' | 'body'>,
) {
  const message_id = heardId(statement, destination, body);
  const known = rowOf(sql, message_id);
  const { run_id } = statement;
  const isOther = known !== undefined && known.run_id !== null && run_id !== undefined && known.run_id !== run_id;
  if (!isOther) return { message_id, known };
  const own = `${message_id}~${run_id}`;
  return { message_id: own, known: rowOf(sql, own) };
}

const rowOf = (sql: Prepare, messageId: string) =>
  sql<{ seq: number; sent_ms: number; execution_id: string | null; run_id: string | null }>(
    `SELECT seq, sent_ms, ${nameOf('execution_no')} AS execution_id, ${nameOf('run_no')} AS run_id FROM message_rows WHERE short_id = ${shortId('?')}`,
  ).get(messageId);

/**
 * Records the subjects of a message, and folds the message with all related messages.
 * @param earlier the message as recorded before, if any
 */
export function foldWith<F extends Fact, R extends { repeats: readonly Repeat[] } | undefined>(
  scope: ObservedScope,
  said: SaidFact<F>,
  earlier: SaidFact<F> | undefined,
  fold: (messages: SaidFact<F>[]) => R,
) {
  // The message has just been recorded, so it need not be read from the store.
  readIn(scope.tx).set(said.seq, said);
  for (const subject of subjectsOf(said.fact)) noteSubject(scope, subject, said.seq);
  const related = relatedMessages(scope, said);
  const others = [...related.values()].filter((one) => one !== said);
  const before = fold(earlier === undefined ? others : [...others, earlier]);
  const after = fold([...others, said]);
  writeRepeats(scope, related, before?.repeats ?? [], after?.repeats ?? []);
  return { before, after };
}

export function noteSubject({ sql, execution_id }: ObservedScope, subject: Subject, seq: number) {
  sql(
    'INSERT INTO message_subjects (execution_id, subject, key, seq) VALUES ($execution_id, $subject, $key, $seq) ON CONFLICT DO NOTHING',
  ).run({ execution_id, ...subject, seq });
}

export function forgetSubject({ sql, execution_id }: ObservedScope, { subject, key }: Subject, seq: number) {
  const remove = sql('DELETE FROM message_subjects WHERE execution_id = ? AND subject = ? AND key = ? AND seq = ?');
  remove.run(execution_id, subject, key, seq);
}

/** A message, the messages related to it, the messages related to those, and so on, by `seq`. */
export function relatedMessages<F extends Fact>(scope: ObservedScope, said: SaidFact<F>) {
  const seqs = scope.sql<number>('SELECT seq FROM message_subjects WHERE execution_id = ? AND subject = ? AND key = ?');
  const related = new Map([[said.seq, said]]);
  const asked = new Set<string>();
  // The loop also visits the messages that it adds.
  for (const { fact } of related.values())
    for (const { subject, key } of relatedTo(fact)) {
      const name = `${subject} ${key}`;
      const found = asked.has(name) ? [] : seqs.values(scope.execution_id, subject, key);
      asked.add(name);
      for (const seq of found) {
        const other = related.has(seq) ? undefined : saidAt<F>(scope.tx, seq);
        if (other !== undefined) related.set(seq, other);
      }
    }
  return related;
}

/** Records which messages repeat which others, if that has changed. */
function writeRepeats(
  { sql, execution_id }: ObservedScope,
  messages: ReadonlyMap<number, SaidFact>,
  before: readonly Repeat[],
  after: readonly Repeat[],
) {
  const note = sql(
    'UPDATE message_subjects SET stands_seq = $stands_seq, contradicts = $contradicts WHERE execution_id = $execution_id AND subject = $subject AND key = $key AND seq = $seq',
  );
  const bySeq = (repeats: readonly Repeat[]) => new Map(repeats.map((one) => [one.seq, one]));
  const was = bySeq(before);
  const now = bySeq(after);
  for (const seq of new Set([...was.keys(), ...now.keys()])) {
    const repeat = now.get(seq);
    const [main] = subjectsOf((messages.get(seq) as SaidFact).fact);
    if (main === undefined || isDeepStrictEqual(repeat, was.get(seq))) continue;
    const { stands_seq = null, contradicts = false } = repeat ?? {};
    note.run({ ...main, execution_id, seq, stands_seq, contradicts: contradicts ? 1 : 0 });
  }
}

/**
 * The recorded messages that do not belong to an execution yet and name either the run, or the execution but
 * no run.
 */
export function waitingRows({ sql }: Transaction, runId: string | undefined, name: string | undefined) {
  const waits = 'execution_no IS NULL AND headers IS NOT NULL';
  const ofRun = sql<Said & StoredMessage>(
    `SELECT ${saidColumns} FROM message_rows WHERE run_no = ${numberOf('?')} AND ${waits} ORDER BY seq`,
  );
  const ofName = sql<Said & StoredMessage>(
    `SELECT ${saidColumns} FROM message_rows WHERE run_no IS NULL AND ${waits} AND (instr(body, $name) > 0 OR instr(destination, $name) > 0) ORDER BY seq`,
  );
  return [...(runId === undefined ? [] : ofRun.all(runId)), ...(name === undefined ? [] : ofName.all({ name }))];
}
