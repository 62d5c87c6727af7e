import { onceFor } from '../../lib/once-for.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import { noteExtent } from './executions.ts';

interface Extent {
  first: number;
  last: number;
  dialects: Set<string>;
}

const extentsOf: (tx: Transaction) => Map<string, Extent> = onceFor(() => new Map());

/** Collects the times of messages, to be written once per transaction. */
export function extend(tx: Transaction, executionId: string, at: number, dialect: string | undefined): void {
  const known = extentsOf(tx);
  if (known.size === 0)
    tx.beforeReading(() => {
      for (const [id, extent] of known) noteExtent(tx, id, extent);
      known.clear();
    });
  const extent = known.get(executionId) ?? { first: at, last: at, dialects: new Set<string>() };
  extent.first = Math.min(extent.first, at);
  extent.last = Math.max(extent.last, at);
  if (dialect !== undefined) extent.dialects.add(dialect);
  known.set(executionId, extent);
}
