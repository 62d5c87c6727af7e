import { bucketOf, type StageName, stages } from '../../domain/stages.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Scope } from './effect.ts';

const numberOf = Object.fromEntries(stages.map(({ stage }, index) => [stage, index])) as Record<StageName, number>;

/** Counts an item that has gone through a stage, from one time to another; an end that is not known is none. */
export function keepDelay(
  sql: Prepare,
  { run_number }: Scope,
  stage: StageName,
  from: string | null | undefined,
  to: string,
): void {
  if (from === null || from === undefined) return;
  const seconds = Math.max(0, Date.parse(to) - Date.parse(from)) / 1000;
  sql(
    `INSERT INTO stage_delays (run_number, stage, bucket, items, total, longest, latest) VALUES (?, ?, ?, 1, ?, ?, ?)
     ON CONFLICT (run_number, stage, bucket) DO UPDATE SET items = items + 1, total = total + excluded.total,
       longest = max(longest, excluded.longest), latest = max(latest, excluded.latest)`,
  ).run(run_number, numberOf[stage], bucketOf(seconds), seconds, seconds, to);
}
