import type { MessageLine } from '../../observed/recording-lines.ts';
import { heardId } from '../../observed/told/heard-id.ts';
import { readStatement } from '../../observed/told/read-told.ts';
import { insertRow, isMessageId } from '../log/rows.ts';
import { recordedAs } from '../observed/recorded-as.ts';
import { storedOf } from '../observed/said.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** Records a refused REST write, once. */
export function recordRefused(tx: Transaction, line: MessageLine, reason: string): void {
  const statement = readStatement(line);
  const { body } = storedOf(line);
  const message_id = `${heardId(statement, line.destination, body)}/refused`;
  if (isMessageId(tx.sql, message_id)) return;
  const { message_type, sender, namespace, run_id } = statement;
  const envelope = { msg_type: message_type, sender, namespace, run_id };
  const row = { envelope, message_id, destination: line.destination, payload: body };
  // Without headers: it is not read again.
  insertRow(tx, row, { effect: 'rejected', code: 'UNREADABLE', reason }, { sentAt: line.t, recordedAt: line.t });
}

/** Whether the very same write is on record. */
export const isRecorded = (tx: Transaction, line: MessageLine): boolean =>
  recordedAs(tx.sql, readStatement(line), { ...line, ...storedOf(line) }).known !== undefined;
