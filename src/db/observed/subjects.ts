import { isDeepStrictEqual } from 'node:util';

import type { Repeat, SaidFact } from '../../observed/folding/said.ts';
import { relatedTo, type Subject, subjectsOf } from '../../observed/folding/subjects.ts';
import type { Fact } from '../../observed/reading/fact.ts';
import { keepSaid, type ObservedScope, saidAt } from './said.ts';

/** A fold of related messages, before and after one of them came. */
export interface Folded<R> {
  before: R;
  after: R;
}

/**
 * Records the subjects of a message, and folds it with all messages that are related to it.
 * @param earlier the message as it was recorded before, if it was
 */
export function foldWith<F extends Fact, R extends { repeats: readonly Repeat[] } | undefined>(
  scope: ObservedScope,
  said: SaidFact<F>,
  earlier: SaidFact<F> | undefined,
  fold: (messages: SaidFact<F>[]) => R,
): Folded<R> {
  keepSaid(scope.tx, said);
  for (const subject of subjectsOf(said.fact)) noteSubject(scope, subject, said.seq);
  const related = relatedMessages(scope, said);
  const others = [...related.values()].filter((one) => one !== said);
  const before = fold(earlier === undefined ? others : [...others, earlier]);
  const after = fold([...others, said]);
  writeRepeats(scope, related, before?.repeats ?? [], after?.repeats ?? []);
  return { before, after };
}

export function noteSubject({ sql, execution_id }: ObservedScope, { subject, key }: Subject, seq: number): void {
  sql('INSERT INTO message_subjects (execution_id, subject, key, seq) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING').run(
    execution_id,
    subject,
    key,
    seq,
  );
}

/** A message, the messages that are related to it, those related to these, and so on, by their `seq`. */
function relatedMessages<F extends Fact>(scope: ObservedScope, said: SaidFact<F>): Map<number, SaidFact<F>> {
  const { tx, sql, execution_id } = scope;
  const seqs = sql<[string, string, string], number>(
    'SELECT seq FROM message_subjects WHERE execution_id = ? AND subject = ? AND key = ?',
  );
  const related = new Map([[said.seq, said]]);
  const asked = new Set<string>();
  // The loop also visits what it adds.
  for (const { fact } of related.values())
    for (const { subject, key } of relatedTo(fact)) {
      const name = `${subject} ${key}`;
      const found = asked.has(name) ? [] : seqs.values(execution_id, subject, key);
      asked.add(name);
      for (const seq of found) {
        const other = related.has(seq) ? undefined : saidAt<F>(tx, seq);
        if (other !== undefined) related.set(seq, other);
      }
    }
  return related;
}

/** Writes which messages repeat others, where that has changed. */
function writeRepeats(
  { sql, execution_id }: ObservedScope,
  messages: ReadonlyMap<number, SaidFact>,
  before: readonly Repeat[],
  after: readonly Repeat[],
): void {
  const note = sql(
    'UPDATE message_subjects SET stands_seq = ?, contradicts = ? WHERE execution_id = ? AND subject = ? AND key = ? AND seq = ?',
  );
  const notesOf = (repeats: readonly Repeat[]) =>
    new Map(repeats.map(({ seq, stands_seq, contradicts }) => [seq, [stands_seq, contradicts ? 1 : 0]] as const));
  const [was, now] = [notesOf(before), notesOf(after)];
  for (const seq of new Set([...was.keys(), ...now.keys()])) {
    const values = now.get(seq) ?? [null, 0];
    const [main] = subjectsOf((messages.get(seq) as SaidFact).fact);
    if (main !== undefined && !isDeepStrictEqual(values, was.get(seq)))
      note.run(...values, execution_id, main.subject, main.key, seq);
  }
}
