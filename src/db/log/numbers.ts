import { onceFor } from '../../lib/once-for.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** The first run number in a store used without a broker; all other numbers begin at 1. */
const firstRun = 100_010;

export type CounterName = 'execution' | 'run' | 'agent' | `monitor ${string}`;

export function drawNumber({ sql }: Transaction, name: CounterName) {
  const next = sql<number>(
    `INSERT INTO counters (name, next_value) VALUES (?, ? + 1)
     ON CONFLICT (name) DO UPDATE SET next_value = next_value + 1 RETURNING next_value`,
  ).value(name, name === 'run' ? firstRun : 1);
  return (next as number) - 1;
}

/** Ensures that later numbers are above `number`. */
export function reserveNumber({ sql }: Transaction, name: CounterName, number: number) {
  sql(
    `INSERT INTO counters (name, next_value) VALUES (?, ?)
     ON CONFLICT (name) DO UPDATE SET next_value = max(next_value, excluded.next_value)`,
  ).run(name, number + 1);
}

/** The first numbers in a store used with a broker; undefined if they are not configured. */
export interface FirstNumbers {
  first_execution_number?: number | undefined;
  first_run_number?: number | undefined;
}

const numberFrom = (first: number, end: number) => first + Math.floor(Math.random() * (end - first));

/**
 * Makes numbering start at a configured or random number, the first time only, so that stores sharing a broker
 * assign different ids.
 */
export function spreadNumbers(tx: Transaction, { first_execution_number, first_run_number }: FirstNumbers) {
  const { sql } = tx;
  const once = sql(`INSERT INTO store_meta (key, value) VALUES ('numbers_spread', '1') ON CONFLICT DO NOTHING`).run();
  if (once.changes === 0) return;
  reserveNumber(tx, 'execution', (first_execution_number ?? numberFrom(1000, 10_000)) - 1);
  reserveNumber(tx, 'run', (first_run_number ?? numberFrom(1_000_000, 10_000_000)) - 1);
}

/**
 * Maps names to the numbers that replace them in log rows, for a writing connection. A name keeps its number
 * forever, so each name is looked up only once.
 */
export const nameNumbers = onceFor((sql: Prepare) => {
  const numbers = new Map<string, number>();
  const find = (name: string) => sql<number>('SELECT name_no FROM names WHERE name = ?').value(name);
  const add = (name: string) => Number(sql('INSERT INTO names (name) VALUES (?)').run(name).lastInsertRowid);
  const knownNumberOf = (name: string) => {
    const number = numbers.get(name) ?? find(name);
    if (number !== undefined) numbers.set(name, number);
    return number;
  };
  const numberOf = (name: string) => knownNumberOf(name) ?? add(name);
  /**
   * The short form of a message id, from which `fullId` restores the id; undefined if the first part of the
   * id has no number.
   */
  const shorten = (id: string, number: (name: string) => number | undefined) => {
    const slash = id.indexOf('/');
    if (slash === -1) return id;
    const first = number(id.slice(0, slash));
    return first && `${first}${id.slice(slash)}`;
  };
  return {
    /**
     * The number of a name, assigned if it has none yet; null if there is no name. Call it in a write
     * transaction.
     */
    numberOf: (name: string | undefined) => (name === undefined ? null : numberOf(name)),
    /** The short form of the id of a new row. Call it in a write transaction. */
    newShortId: (id: string) => shorten(id, numberOf) as string,
    /** The short form of an id, like `shortId` in SQL; null if the first part of the id has no number. */
    shortId: (id: string) => shorten(id, knownNumberOf) ?? null,
    /** Call it after a rollback, which removes the new names: other names may then get their numbers. */
    forget: () => numbers.clear(),
  };
});
