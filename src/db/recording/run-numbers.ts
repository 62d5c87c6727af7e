import type { Message } from '../../messages/message.ts';
import { drawNumber, reserveNumber } from '../log/numbers.ts';
import { isExecution } from '../log/rows.ts';
import type { Transaction } from '../sqlite/transaction.ts';

type Request = Message<'run_workflow'>;

/** Assigns a new `run_workflow` its execution id and run number, in the transaction that records it. No other code chooses them. */
export function withNumbers(tx: Transaction, message: Request, isReplay: boolean): Request {
  if (isReplay) {
    // Later executions must not draw its numbers.
    reserveNumber(tx, 'execution', Number(/-(\d+)$/.exec(message.execution_id ?? '')?.[1] ?? 0));
    reserveNumber(tx, 'run', Number(message.run_id) || 0);
    return message;
  }
  return { ...message, execution_id: freeId(tx, message), run_id: String(drawNumber(tx, 'run')) };
}

/** The next free execution id: other programs may use ids of the same form. */
function freeId(tx: Transaction, { workflow_name, executed_by }: Request): string {
  for (;;) {
    const number = String(drawNumber(tx, 'execution')).padStart(4, '0');
    const id = `${workflow_name}-${executed_by}-${number}`;
    if (!isExecution(tx.sql, id)) return id;
  }
}
