import { onceFor } from '../../lib/once-for.ts';
import type { Transaction } from './transaction.ts';

/**
 * Gathers values by name in memory during a transaction, and writes them only before a read or the commit,
 * since a great many messages change the same few rows.
 * @returns a function that changes a value, which is undefined before its first change in a transaction
 */
export function buffered<Value>(write: (tx: Transaction, name: string, value: Value) => void) {
  const gathered: (tx: Transaction) => Map<string, Value> = onceFor(() => new Map());
  return (tx: Transaction, name: string, next: (before: Value | undefined) => Value) => {
    const values = gathered(tx);
    if (values.size === 0)
      tx.beforeReading(() => {
        for (const [key, value] of values) write(tx, key, value);
        values.clear();
      });
    values.set(name, next(values.get(name)));
  };
}
