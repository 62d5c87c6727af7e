import type { Connection } from './store.ts';

/** Where a store's numbers begin that shares no broker (contract §1). */
const firstNumbers = { execution: 1, run: 100_010, agent: 1 } as const;

export type CounterName = keyof typeof firstNumbers;

/** Draws the next number. Inside a transaction only. */
export function drawNumber(db: Connection, name: CounterName, first: number = firstNumbers[name]): number {
  const row = db
    .prepare<[string, number], { next_value: number }>(
      `INSERT INTO counters (name, next_value) VALUES (?, ? + 1)
       ON CONFLICT (name) DO UPDATE SET next_value = next_value + 1 RETURNING next_value`,
    )
    .get(name, first);
  return (row as { next_value: number }).next_value - 1;
}

/** Makes sure that `number` is not drawn later. Inside a transaction only. */
export function reserveNumber(db: Connection, name: CounterName, number: number): void {
  db.prepare(
    `INSERT INTO counters (name, next_value) VALUES (?, ?)
     ON CONFLICT (name) DO UPDATE SET next_value = max(next_value, excluded.next_value)`,
  ).run(name, number + 1);
}
