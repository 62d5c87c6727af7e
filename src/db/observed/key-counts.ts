import { fieldsOf } from '../../observed/namespace-filter.ts';
import type { Statement } from '../../observed/reading/fact.ts';
import { filledKeys, stateOf } from '../../observed/reading/filled-keys.ts';
import type { MessageLine } from '../../observed/recording-lines.ts';
import type { Transaction } from '../sqlite/transaction.ts';

interface Count {
  values: readonly [execution: string, sender: string, type: string, state: string, key: string];
  n: number;
}

const gathered = new WeakMap<Transaction, Map<string, Count>>();

/** Counts which keys a message fills. Written once a transaction: a hundred messages count in the same few rows. */
export function countKeys(
  tx: Transaction,
  executionId: string,
  { sender, message_type }: Statement,
  line: MessageLine,
): void {
  if (sender === undefined) return;
  const body = fieldsOf(line);
  const counts = countsOf(tx);
  if (counts.size === 0) tx.beforeReading(() => write(tx, counts));
  const state = stateOf(body);
  for (const key of ['', ...filledKeys(body)]) {
    const values = [executionId, sender, message_type, state, key] as const;
    const name = values.join('\n');
    const known = counts.get(name) ?? { values, n: 0 };
    known.n += 1;
    counts.set(name, known);
  }
}

function countsOf(tx: Transaction): Map<string, Count> {
  const known = gathered.get(tx) ?? new Map<string, Count>();
  gathered.set(tx, known);
  return known;
}

function write({ sql }: Transaction, counts: Map<string, Count>): void {
  const add = sql<unknown[]>(
    `INSERT INTO observed_keys (execution_id, sender, message_type, state, key, filled) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (execution_id, sender, message_type, state, key) DO UPDATE SET filled = filled + excluded.filled`,
  );
  for (const { values, n } of counts.values()) add.run(...values, n);
  counts.clear();
}
