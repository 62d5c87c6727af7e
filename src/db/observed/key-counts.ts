import { onceFor } from '../../lib/once-for.ts';
import { fieldsOf } from '../../observed/namespace-filter.ts';
import type { Statement } from '../../observed/reading/fact.ts';
import { filledKeys, stateOf } from '../../observed/reading/filled-keys.ts';
import type { MessageLine } from '../../observed/recording-lines.ts';
import { restOf } from '../../observed/told/rest-call.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** How many messages of a sender, type and state fill each key. */
interface Counts {
  of: readonly [execution: string, sender: string, type: string, state: string];
  filled: Map<string, number>;
}

const countsOf: (tx: Transaction) => Map<string, Counts> = onceFor(() => new Map());

/** Counts which keys a message fills. Written once per transaction: a hundred messages count in the same few rows. */
export function countKeys(tx: Transaction, id: string, { sender, message_type }: Statement, line: MessageLine): void {
  // A REST write has the keys that its resource has.
  if (sender === undefined || restOf(line.destination) !== undefined) return;
  const body = fieldsOf(line);
  const all = countsOf(tx);
  if (all.size === 0) tx.beforeReading(() => write(tx, all));
  const group = [id, sender, message_type, stateOf(body)] as const;
  const name = group.join('\n');
  const counts = all.get(name) ?? { of: group, filled: new Map<string, number>() };
  all.set(name, counts);
  const { filled } = counts;
  filled.set('', (filled.get('') ?? 0) + 1);
  for (const key of filledKeys(body)) filled.set(key, (filled.get(key) ?? 0) + 1);
}

function write({ sql }: Transaction, all: Map<string, Counts>): void {
  const add = sql<unknown[]>(
    `INSERT INTO observed_keys (execution_id, sender, message_type, state, key, filled) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (execution_id, sender, message_type, state, key) DO UPDATE SET filled = filled + excluded.filled`,
  );
  for (const { of, filled } of all.values()) for (const [key, n] of filled) add.run(...of, key, n);
  all.clear();
}
