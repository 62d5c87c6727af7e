import { onceFor } from '../../lib/once-for.ts';
import type { Transaction } from './transaction.ts';

/**
 * Values that are gathered in memory during a transaction, each by its name, and written before its commit or
 * before they are read: very many messages change the same few rows.
 * @returns changes a value; its first one in a transaction follows from undefined
 */
export function buffered<Value>(write: (tx: Transaction, name: string, value: Value) => void) {
  const gathered: (tx: Transaction) => Map<string, Value> = onceFor(() => new Map());
  return (tx: Transaction, name: string, next: (before: Value | undefined) => Value): void => {
    const values = gathered(tx);
    if (values.size === 0)
      tx.beforeReading(() => {
        for (const [key, value] of values) write(tx, key, value);
        values.clear();
      });
    values.set(name, next(values.get(name)));
  };
}
