import { bucketOf, type StageName, stages } from '../../domain/stages.ts';
import { onceFor } from '../../lib/once-for.ts';
import { millisecondsAt } from '../../lib/time.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import type { Scope } from './effect.ts';

/**
 * Tables with counts that very many messages change, each with the SQL condition of a row. Its values: the
 * execution and, for files, the name.
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
  /** Numbers to add, by column. */
  counts: Map<string, number>;
}

/**
 * The counts of a transaction, gathered in memory and written before its commit or the first read of them. A
 * dozen messages count in the same few rows, and writing a row costs as much as reading a message.
 */
export const sumsOf = onceFor((tx: Transaction) => {
  const counted = new Map<string, CountedRow>();
  /** Mostly the next message counts in it too. */
  let latest: CountedRow | undefined;
  const rowOf = (table: Counted, key: Key): CountedRow => {
    if (latest?.table === table && latest.key.every((part, index) => part === key[index])) return latest;
    const name = `${table} ${key.join(' ')}`;
    latest = counted.get(name) ?? { table, key, counts: new Map<string, number>() };
    counted.set(name, latest);
    return latest;
  };
  return {
    /** Adds to a count: of an execution, or of one of its STF files or samples. */
    add(table: Counted, key: Key, column: string, n: number) {
      if (counted.size === 0)
        tx.beforeReading(() => {
          for (const row of counted.values()) writeCounts(tx, row);
          counted.clear();
          latest = undefined;
        });
      const { counts } = rowOf(table, key);
      counts.set(column, (counts.get(column) ?? 0) + n);
    },
  };
});

function writeCounts({ sql }: Transaction, { table, key, counts }: CountedRow) {
  // A fixed order keeps the number of prepared statements small.
  const changed = [...counts].filter(([, n]) => n !== 0).toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (changed.length === 0) return;
  const columns = changed.map(([column]) => `${column} = ${column} + ?`).join(', ');
  sql(`UPDATE ${table} SET ${columns} WHERE ${rows[table]}`).run(...changed.map(([, n]) => n), ...key);
}

/** Items of one delay bucket that passed a stage within a transaction. Seconds. */
interface Delay {
  key: readonly [execution: string, stage: number, bucket: number];
  items: number;
  total: number;
  longest: number;
  /** UTC in ISO 8601. */
  latest: string;
}

/** The delays of a transaction, gathered and written as its counts are. */
const delaysOf: (tx: Transaction) => Map<string, Delay> = onceFor(() => new Map());

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
) {
  if (from === null || from === undefined) return;
  const seconds = known ?? Math.max(0, millisecondsAt(to, 0) - millisecondsAt(from, 0)) / 1000;
  const delays = delaysOf(tx);
  if (delays.size === 0)
    tx.beforeReading(() => {
      for (const delay of delays.values()) writeDelay(tx, delay);
      delays.clear();
    });
  const key = [execution_id, numberOf[stage], bucketOf(seconds)] as const;
  const name = key.join(' ');
  const delay = delays.get(name) ?? { key, items: 0, total: 0, longest: 0, latest: to };
  delay.items += 1;
  delay.total += seconds;
  delay.longest = Math.max(delay.longest, seconds);
  if (to > delay.latest) delay.latest = to;
  delays.set(name, delay);
}

function writeDelay({ sql }: Transaction, { key, items, total, longest, latest }: Delay) {
  // Rounding to milliseconds, the precision of times, makes the sum independent of how items are grouped.
  sql(
    `INSERT INTO stage_delays (execution_id, stage, bucket, items, total, longest, latest) VALUES (?, ?, ?, ?, round(?, 3), ?, ?)
     ON CONFLICT (execution_id, stage, bucket) DO UPDATE SET items = items + excluded.items, total = round(total + excluded.total, 3),
       longest = max(longest, excluded.longest), latest = max(latest, excluded.latest)`,
  ).run(...key, items, total, longest, latest);
}
