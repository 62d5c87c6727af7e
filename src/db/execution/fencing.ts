import { executionInUse } from '../../lib/errors.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** Throws `EXECUTION_IN_USE` for a driver that was thought dead, was replaced, and wakes up late. @param epoch undefined for agents of other processes, which need none */
export function requireOwnership({ sql }: Transaction, executionId: string, epoch: number | undefined): void {
  if (epoch === undefined) return;
  const current = sql<[string], number>('SELECT epoch FROM execution_owners WHERE execution_id = ?').value(executionId);
  if (current === epoch) return;
  throw executionInUse(`${executionId} has been taken over by another process; this one ends`);
}

/** Moves a consumer's cursor by compare-and-set. False if it is elsewhere: another process has done the same work. */
export function moveCursor(
  { sql }: Transaction,
  executionId: string,
  { role, from, to }: { role: string; from: number; to: number },
): boolean {
  const first = `INSERT INTO cursors (execution_id, role, seq) VALUES (?, ?, ?)
    ON CONFLICT (execution_id, role) DO UPDATE SET seq = excluded.seq WHERE seq = 0`;
  const further = 'UPDATE cursors SET seq = ? WHERE execution_id = ? AND role = ? AND seq = ?';
  const { changes } =
    from === 0 ? sql(first).run(executionId, role, to) : sql(further).run(to, executionId, role, from);
  return changes === 1;
}
