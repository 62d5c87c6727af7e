import type { MessageLine } from '../../observed/recording-lines.ts';
import { resentWithin } from '../../observed/told/log-line.ts';
import { heardId, readStatement } from '../../observed/told/read-told.ts';
import { insertLogLine, type LogLineRow } from '../log/log-lines.ts';
import { insertRow, isExecution, isMessageId } from '../log/rows.ts';
import { recordedAs, storedOf } from '../observed/said.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/**
 * Writes a line into `app_logs` once, since a logger resends lines that got no answer. Returns the number of
 * the line.
 * @param at ISO 8601 in UTC, since the programs' own times have no zone
 */
export function insertToldLine(tx: Transaction, line: Omit<LogLineRow, 'timestamp'>, at: string) {
  const { sql } = tx;
  const { agent, message } = line;
  const context = JSON.stringify(line.context);
  const known = sql<{ log_id: number; message: string; context: string | null }>(
    `SELECT log_id, message, context FROM app_logs WHERE agent = ? ORDER BY log_id DESC LIMIT ${resentWithin}`,
  )
    .all(agent)
    .find((one) => one.message === message && one.context === context);
  if (known !== undefined) return known.log_id;
  return insertOne(tx, line, at);
}

/**
 * Writes a line from a recording, unless the store already has the line: it may have been recorded directly, or
 * read before.
 * @param at when the line was received, ISO 8601 in UTC
 */
export function addReadLine(tx: Transaction, line: Omit<LogLineRow, 'timestamp'>, at: string) {
  const { sql } = tx;
  const known = sql(
    'SELECT 1 FROM app_logs INDEXED BY app_logs_agent WHERE agent = ? AND timestamp = ? AND message = ? LIMIT 1',
  );
  if (!known.has(line.agent, at, line.message)) insertOne(tx, line, at);
}

function insertOne(tx: Transaction, line: Omit<LogLineRow, 'timestamp'>, at: string) {
  const { execution_id } = line;
  const isKnown = typeof execution_id === 'string' && isExecution(tx.sql, execution_id);
  return insertLogLine(tx, { ...line, timestamp: at, execution_id: isKnown ? execution_id : undefined });
}

/** Records a refused REST write, once. */
export function recordRefused(tx: Transaction, line: MessageLine, reason: string) {
  const statement = readStatement(line);
  const { body } = storedOf(line);
  const message_id = `${heardId(statement, line.destination, body)}/refused`;
  if (isMessageId(tx.sql, message_id)) return;
  const { message_type, sender, namespace, run_id } = statement;
  const envelope = { msg_type: message_type, sender, namespace, run_id };
  const row = { envelope, message_id, destination: line.destination, payload: body };
  // The headers are left out, since the row is not read again.
  insertRow(tx, row, { effect: 'rejected', code: 'UNREADABLE', reason }, { sentAt: line.t, recordedAt: line.t });
}

/** Whether exactly this write has been recorded. */
export const isRecorded = (tx: Transaction, line: MessageLine) =>
  recordedAs(tx.sql, readStatement(line), { ...line, ...storedOf(line) }).known !== undefined;
