import { onceFor } from '../../lib/once-for.ts';
import type { Said, SaidFact } from '../../observed/folding/said.ts';
import type { Fact, Statement } from '../../observed/reading/fact.ts';
import type { MessageLine } from '../../observed/recording-lines.ts';
import { readStatement } from '../../observed/told/read-told.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** The execution that a message belongs to. */
export interface ObservedScope {
  tx: Transaction;
  sql: Prepare;
  execution_id: string;
  run_number: number | null;
}

/** Headers stored beside a message. The broker's time is in the row itself. */
const keptHeaders: ReadonlySet<string> = new Set(['namespace', 'run_id', 'msg_type', 'client-id', 'name']);

/** Marks, among the headers, a body that is text: no header has this name. */
const textMark = ' text';

/** The columns that a message is read from. */
export interface StoredMessage {
  destination: string;
  body: string;
  headers: string;
  /** If they are asked for, ISO 8601. */
  sent_at?: string;
  recorded_at?: string;
}

/** Reads a stored message: only its stored parts decide how it is read. */
export const statementOf = (row: StoredMessage): Statement => readStatement(lineOf(row));

/** The body of a message as it is stored, and the headers that are kept (JSON). */
export function storedOf(line: MessageLine): Pick<StoredMessage, 'body' | 'headers'> {
  const kept = Object.entries(line.headers).filter(([name]) => keptHeaders.has(name));
  const headers = JSON.stringify(Object.fromEntries('text' in line ? [...kept, [textMark, '1']] : kept));
  if ('text' in line) return { body: line.text, headers };
  return { body: JSON.stringify('body' in line ? line.body : { size: line.size, sha256: line.sha256 }), headers };
}

/** A message as heard, as far as it is stored. */
export function lineOf({ destination, body, headers, sent_at, recorded_at = '' }: StoredMessage): MessageLine {
  const timestamp = sent_at === undefined ? {} : { timestamp: String(Date.parse(sent_at)) };
  const { [textMark]: isText, ...said } = JSON.parse(headers) as Record<string, string>;
  return {
    t: recorded_at,
    destination,
    headers: { ...said, ...timestamp },
    ...(isText === undefined ? { body: JSON.parse(body) as unknown } : { text: body }),
  };
}

/** As SQL: the columns of a recorded message. */
export const saidColumns = `seq, sent_ms, message_id, coalesce(destination, '') AS destination, body, headers`;

/** The messages that a transaction has read: slices, their results and what REST says of both come together. */
const readIn = onceFor((_tx: Transaction) => new Map<number, SaidFact>());

/** Notes a message that has just been recorded, so that it need not be read. */
export const keepSaid = (tx: Transaction, said: SaidFact): void => void readIn(tx).set(said.seq, said);

/** A recorded message by its place in the log, if it has one. */
export function saidAt<F extends Fact>(tx: Transaction, seq: number): SaidFact<F> | undefined {
  const { sql } = tx;
  const read = readIn(tx);
  const known = read.get(seq);
  if (known !== undefined) return known as SaidFact<F>;
  const row = sql<[number], Said & StoredMessage>(`SELECT ${saidColumns} FROM message_rows WHERE seq = ?`).get(seq);
  if (row === undefined) return undefined;
  const { fact } = statementOf(row);
  if (fact === undefined) return undefined;
  const said = { ...row, fact: fact as F };
  read.set(seq, said);
  return said;
}
