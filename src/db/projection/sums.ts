import { bucketOf, type StageName, stages } from '../../domain/stages.ts';
import { millisecondsAt } from '../../lib/time.ts';
import { buffered } from '../sqlite/buffered.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import type { Scope } from './effect.ts';

/**
 * Tables with counts that a great many messages change, each with the SQL condition that selects a row. The
 * condition's values are the execution's id and, for files, the file's name.
 */
const rows = {
  run_states: 'execution_id = ?',
  stf_files: 'execution_id = ? AND stf_filename = ?',
  fastmon_files: 'execution_id = ? AND tf_filename = ?',
  observed_runs: 'execution_id = ?',
} as const;

type Counted = keyof typeof rows;
type Key = readonly string[];

interface CountedRow {
  table: Counted;
  key: Key;
  counts: Map<string, number>;
}

const counted = buffered(writeCounts);

/**
 * Adds to a count of an execution, or of one of its STF files or samples. A dozen messages change the same
 * few rows, and writing a row costs as much as reading a message, so each row is written once per
 * transaction.
 */
export const addTo = (tx: Transaction, table: Counted, key: Key, column: string, n: number) =>
  counted(tx, `${table} ${key.join(' ')}`, (row = { table, key, counts: new Map() }) => {
    row.counts.set(column, (row.counts.get(column) ?? 0) + n);
    return row;
  });

function writeCounts({ sql }: Transaction, _: string, { table, key, counts }: CountedRow) {
  // A fixed order keeps the number of prepared statements small.
  const changed = [...counts].filter(([, n]) => n !== 0).toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (changed.length === 0) return;
  const columns = changed.map(([column]) => `${column} = ${column} + ?`).join(', ');
  sql(`UPDATE ${table} SET ${columns} WHERE ${rows[table]}`).run(...changed.map(([, n]) => n), ...key);
}

/** Items that passed a stage within a transaction and whose delays fall into one bucket. Delays are in seconds. */
interface Delay {
  key: readonly [execution: string, stage: number, bucket: number];
  items: number;
  total: number;
  longest: number;
  /** UTC in ISO 8601. */
  latest: string;
}

const delays = buffered(writeDelay);

const numberOf = Object.fromEntries(stages.map(({ stage }, index) => [stage, index])) as Record<StageName, number>;

interface Passage {
  from: string | null | undefined;
  to: string;
  /** The duration, if it is known from a source other than these times. */
  seconds?: number | undefined;
}

/** Counts an item that passed a stage, unless the time at which it entered is unknown. */
export function keepDelay(
  tx: Transaction,
  { execution_id }: Pick<Scope, 'execution_id'>,
  stage: StageName,
  { from, to, seconds: known }: Passage,
) {
  if (from === null || from === undefined) return;
  const seconds = known ?? Math.max(0, millisecondsAt(to, 0) - millisecondsAt(from, 0)) / 1000;
  keepDelays(tx, execution_id, stage, { seconds, items: 1, latest: to });
}

/** Counts items that each took the same time to pass a stage; the last item left the stage at `latest` (ISO 8601). */
export function keepDelays(
  tx: Transaction,
  execution_id: string,
  stage: StageName,
  { seconds, items, latest }: Pick<Delay, 'items' | 'latest'> & { seconds: number },
) {
  const key = [execution_id, numberOf[stage], bucketOf(seconds)] as const;
  delays(tx, key.join(' '), (delay = { key, items: 0, total: 0, longest: 0, latest }) => {
    delay.items += items;
    delay.total += items * seconds;
    delay.longest = Math.max(delay.longest, seconds);
    if (latest > delay.latest) delay.latest = latest;
    return delay;
  });
}

function writeDelay({ sql }: Transaction, _: string, { key, items, total, longest, latest }: Delay) {
  // Rounding to milliseconds, the precision of times, makes the sum independent of how items are grouped.
  sql(
    `INSERT INTO stage_delays (execution_id, stage, bucket, items, total, longest, latest) VALUES (?, ?, ?, ?, round(?, 3), ?, ?)
     ON CONFLICT (execution_id, stage, bucket) DO UPDATE SET items = items + excluded.items, total = round(total + excluded.total, 3),
       longest = max(longest, excluded.longest), latest = max(latest, excluded.latest)`,
  ).run(...key, items, total, longest, latest);
}
