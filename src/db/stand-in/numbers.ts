import { drawNumber, reserveNumber } from '../log/numbers.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** Draws the next number of a name, from 1 on. */
export const nextNumber = (tx: Transaction, name: string): number => drawNumber(tx, `monitor ${name}`);

/** Draws a run number of this store that no heard run has. */
export function nextRunNumber(tx: Transaction): number {
  const isHeard = tx.sql<[string]>('SELECT 1 FROM observed_runs WHERE run_id = ?');
  for (;;) {
    const number = drawNumber(tx, 'run');
    if (!isHeard.has(String(number))) return number;
  }
}

/** Draws the number of the next execution of a workflow, above all known ones. */
export function nextSequence(tx: Transaction, workflow: string): number {
  const known = tx
    .sql<[{ prefix: string }], string>(
      `SELECT execution_id FROM workflow_executions WHERE substr(execution_id, 1, length($prefix)) = $prefix`,
    )
    .values({ prefix: `${workflow}-` })
    .map((id) => Number(/-(\d{1,9})(?:~.*)?$/.exec(id)?.[1] ?? 0));
  const highest = known.reduce((a, b) => Math.max(a, b), 0);
  const name = `execution of ${workflow}`;
  reserveNumber(tx, `monitor ${name}`, highest);
  return nextNumber(tx, name);
}
