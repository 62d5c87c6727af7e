import type { Transaction } from '../sqlite/transaction.ts';

/**
 * Notes that one message says what another one says already, or contradicts it. Notes that pointed to the
 * message that no longer stands point to the new one.
 */
export function noteRepeat(
  { sql }: Transaction,
  { seq, stands, contradicts }: { seq: number; stands: number; contradicts: boolean },
): void {
  sql('DELETE FROM repeated_messages WHERE seq = ?').run(stands);
  sql('UPDATE repeated_messages SET stands_seq = ? WHERE stands_seq = ?').run(stands, seq);
  sql(
    `INSERT INTO repeated_messages (seq, stands_seq, contradicts) VALUES (?, ?, ?)
     ON CONFLICT (seq) DO UPDATE SET stands_seq = excluded.stands_seq, contradicts = excluded.contradicts`,
  ).run(seq, stands, contradicts ? 1 : 0);
}
