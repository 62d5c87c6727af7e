import { bucketOf, type StageName, stages } from '../../domain/stages.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import type { Scope } from './effect.ts';
import { sumsOf } from './sums.ts';

const numberOf = Object.fromEntries(stages.map(({ stage }, index) => [stage, index])) as Record<StageName, number>;

/** When an item entered and left a stage. */
interface Passage {
  from: string | null | undefined;
  to: string;
  /** Known otherwise than by these times. */
  seconds?: number | undefined;
}

/** Counts an item that passed a stage, unless the time it entered is unknown. */
export function keepDelay(
  tx: Transaction,
  { execution_id }: Pick<Scope, 'execution_id'>,
  stage: StageName,
  { from, to, seconds: known }: Passage,
): void {
  if (from === null || from === undefined) return;
  const seconds = known ?? Math.max(0, Date.parse(to) - Date.parse(from)) / 1000;
  sumsOf(tx).addDelay([execution_id, numberOf[stage], bucketOf(seconds)], seconds, to);
}
