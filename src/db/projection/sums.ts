import { onceFor } from '../../lib/once-for.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** Tables with counts that very many messages change, each with the SQL condition of a row. Its values: the execution and, for files, the name. */
const rows = {
  run_states: 'execution_id = ?',
  stf_files: 'execution_id = ? AND stf_filename = ?',
  fastmon_files: 'execution_id = ? AND tf_filename = ?',
} as const;

type Counted = keyof typeof rows;
type Key = readonly [execution: string, file?: string];
type DelayKey = readonly [execution: string, stage: number, bucket: number];

/** Items of one delay bucket that passed a stage within a transaction. Seconds. */
interface Delay {
  items: number;
  total: number;
  longest: number;
  /** UTC in ISO 8601. */
  latest: string;
}

/** The sums of a transaction. */
export const sumsOf = onceFor((tx: Transaction) => new Sums(tx));

/**
 * Counts and delays of a transaction, gathered in memory and written before its commit or the first read of them: a dozen messages count in the
 * same few rows, and writing a row costs as much as reading a message.
 */
class Sums {
  readonly #tx: Transaction;
  readonly #counts = new Map<string, { table: Counted; key: Key; counts: Map<string, number> }>();
  readonly #delays = new Map<string, { key: DelayKey; delay: Delay }>();
  #isDue = false;

  constructor(tx: Transaction) {
    this.#tx = tx;
  }

  /** Adds to a count: of an execution, or of one of its STF files or samples. */
  add(table: Counted, key: Key, column: string, n: number): void {
    this.#callLater();
    const name = `${table} ${key.join(' ')}`;
    const row = this.#counts.get(name) ?? { table, key, counts: new Map<string, number>() };
    row.counts.set(column, (row.counts.get(column) ?? 0) + n);
    this.#counts.set(name, row);
  }

  /** Adds an item that has gone through a stage of an execution. */
  addDelay(key: DelayKey, seconds: number, at: string): void {
    this.#callLater();
    const name = key.join(' ');
    const before = this.#delays.get(name)?.delay ?? { items: 0, total: 0, longest: 0, latest: at };
    const delay = {
      items: before.items + 1,
      total: before.total + seconds,
      longest: Math.max(before.longest, seconds),
      latest: before.latest > at ? before.latest : at,
    };
    this.#delays.set(name, { key, delay });
  }

  #callLater(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#tx.beforeReading(() => this.#write());
  }

  #write(): void {
    this.#isDue = false;
    for (const row of this.#counts.values()) this.#writeCounts(row);
    for (const { key, delay } of this.#delays.values()) this.#writeDelay(key, delay);
    this.#counts.clear();
    this.#delays.clear();
  }

  #writeCounts({ table, key, counts }: { table: Counted; key: Key; counts: ReadonlyMap<string, number> }): void {
    // A fixed order keeps the number of prepared statements small.
    const changed = [...counts].filter(([, n]) => n !== 0).toSorted(([a], [b]) => (a < b ? -1 : 1));
    if (changed.length === 0) return;
    const columns = changed.map(([column]) => `${column} = ${column} + ?`).join(', ');
    this.#tx.sql(`UPDATE ${table} SET ${columns} WHERE ${rows[table]}`).run(...changed.map(([, n]) => n), ...key);
  }

  #writeDelay(key: DelayKey, delay: Delay): void {
    // Rounding to milliseconds, the precision of times, makes the sum independent of how items are grouped.
    this.#tx
      .sql(
        `INSERT INTO stage_delays (execution_id, stage, bucket, items, total, longest, latest) VALUES (?, ?, ?, ?, round(?, 3), ?, ?)
         ON CONFLICT (execution_id, stage, bucket) DO UPDATE SET items = items + excluded.items, total = round(total + excluded.total, 3),
           longest = max(longest, excluded.longest), latest = max(latest, excluded.latest)`,
      )
      .run(...key, delay.items, delay.total, delay.longest, delay.latest);
  }
}
