import type { ResultFact } from '../../observed/reading/fact.ts';
import type { AttemptRow } from './attempt-rows.ts';
import { type ObservedScope, type SaidFact, saidAt } from './said.ts';

/** Compared with the recorded results, a result is new, a copy of one, or the original of a recorded copy, which it has replaced. */
type Joined = 'new' | 'copy' | 'original';

/**
 * Matches a result that came by REST with the same message on the bus, which tells more, by its whole text.
 * @param others the recorded results that name the same attempt, by their places in the log
 */
export function joinCopies(
  scope: ObservedScope,
  said: SaidFact<ResultFact>,
  { attempt, others }: { attempt: AttemptRow | undefined; others: readonly number[] },
): Joined {
  if (others.length === 0) return 'new';
  const isCopy = said.fact.copyOf !== undefined;
  const text = textOf(scope, said);
  for (const seq of others) {
    const other = seq === said.seq ? undefined : saidAt<ResultFact>(scope.tx, seq);
    if (other === undefined || textOf(scope, other) !== text) continue;
    if (isCopy) return 'copy';
    if (other.fact.copyOf === undefined) continue;
    replaceCopy(scope, attempt, { copy: seq, message: said.seq });
    return 'original';
  }
  return 'new';
}

/** Replaces the copy from REST with the message of the bus. */
function replaceCopy(
  { tx }: ObservedScope,
  attempt: AttemptRow | undefined,
  { copy, message }: { copy: number; message: number },
): void {
  if (attempt?.result_seq === copy)
    tx.sql('UPDATE observed_attempts SET result_seq = ? WHERE attempt_key = ?').run(message, attempt.attempt_key);
  for (const [table, column] of [
    ['unmatched_results', 'seq'],
    ['repeated_messages', 'seq'],
    ['repeated_messages', 'stands_seq'],
  ] as const)
    tx.sql(`UPDATE ${table} SET ${column} = ? WHERE ${column} = ?`).run(message, copy);
}

const textOf = ({ tx }: ObservedScope, { seq, fact }: SaidFact<ResultFact>): string =>
  fact.copyOf ?? tx.sql<[number], { body: string }>('SELECT body FROM message_rows WHERE seq = ?').get(seq)?.body ?? '';
