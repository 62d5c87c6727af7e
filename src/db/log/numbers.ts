import { randomInt, randomUUID } from 'node:crypto';

import type { Connection } from '../sqlite/open-store.ts';

/** Where a store's numbers begin that shares no broker (contract §1). */
const firstNumbers = { execution: 1, run: 100_010, agent: 1 } as const;

export type CounterName = keyof typeof firstNumbers;

/** Draws the next number. Inside a transaction only. */
export function drawNumber(db: Connection, name: CounterName): number {
  const row = db
    .prepare<[string, number], { next_value: number }>(
      `INSERT INTO counters (name, next_value) VALUES (?, ? + 1)
       ON CONFLICT (name) DO UPDATE SET next_value = next_value + 1 RETURNING next_value`,
    )
    .get(name, firstNumbers[name]);
  return (row as { next_value: number }).next_value - 1;
}

/** Makes sure that no number up to `number` is drawn later. Inside a transaction only. */
export function reserveNumber(db: Connection, name: CounterName, number: number): void {
  db.prepare(
    `INSERT INTO counters (name, next_value) VALUES (?, ?)
     ON CONFLICT (name) DO UPDATE SET next_value = max(next_value, excluded.next_value)`,
  ).run(name, number + 1);
}

/** Numbers that the configuration gives a store that is used with a broker. */
export interface FirstNumbers {
  first_execution_number?: number | undefined;
  first_run_number?: number | undefined;
}

/**
 * Moves a store's numbers, once, to a random place, so that stores which share a broker do not give the same ids
 * (contract §1). Inside a transaction only.
 */
export function spreadNumbers(db: Connection, { first_execution_number, first_run_number }: FirstNumbers): void {
  const once = db
    .prepare(`INSERT INTO store_meta (key, value) VALUES ('numbers_spread', '1') ON CONFLICT DO NOTHING`)
    .run();
  if (once.changes === 0) return;
  reserveNumber(db, 'execution', (first_execution_number ?? randomInt(1000, 10_000)) - 1);
  reserveNumber(db, 'run', (first_run_number ?? randomInt(1_000_000, 10_000_000)) - 1);
}

/** This store's own id, made when it is first asked for. Inside a transaction only. */
export function storeId(db: Connection): string {
  db.prepare(`INSERT INTO store_meta (key, value) VALUES ('store_id', ?) ON CONFLICT DO NOTHING`).run(randomUUID());
  const row = db.prepare<[], { value: string }>(`SELECT value FROM store_meta WHERE key = 'store_id'`).get();
  return (row as { value: string }).value;
}
