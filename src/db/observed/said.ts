import type { Fact, Statement } from '../../observed/reading/fact.ts';
import type { MessageLine } from '../../observed/recording-lines.ts';
import { readStatement } from '../../observed/told/read-told.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** A recorded message, with what decides which of several counts. */
export interface Said {
  seq: number;
  /** Milliseconds since 1970. */
  sent_ms: number;
  message_id: string;
}

export type FactOf<Kind extends Fact['kind']> = Extract<Fact, { kind: Kind }>;

/** A recorded message with its fact. */
export interface SaidFact<F extends Fact = Fact> extends Said {
  fact: F;
}

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

/** Of contradicting statements, the earlier one counts, then the one with the lesser id. */
export const isBefore = (a: Said, b: Said): boolean =>
  a.sent_ms === b.sent_ms ? a.message_id < b.message_id : a.sent_ms < b.sent_ms;

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

/** A recorded message by its place in the log, if it has one. */
export function saidAt<F extends Fact>({ sql }: Transaction, seq: number | null | undefined): SaidFact<F> | undefined {
  if (seq === null || seq === undefined) return undefined;
  const row = sql<[number], Said & StoredMessage>(`SELECT ${saidColumns} FROM message_rows WHERE seq = ?`).get(seq);
  const fact = row && statementOf(row).fact;
  return fact && { ...row, fact: fact as F };
}

/** When a message was sent, as UTC in ISO 8601. */
export const timeOf = ({ sent_ms }: Said): string => new Date(sent_ms).toISOString();
