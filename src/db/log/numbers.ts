import { onceFor } from '../../lib/once-for.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** The first run number of a store that shares no broker; all else is numbered from 1. */
const firstRun = 100_010;

export type CounterName = 'execution' | 'run' | 'agent' | `monitor ${string}`;

export function drawNumber({ sql }: Transaction, name: CounterName): number {
  const next = sql<number>(
    `INSERT INTO counters (name, next_value) VALUES (?, ? + 1)
     ON CONFLICT (name) DO UPDATE SET next_value = next_value + 1 RETURNING next_value`,
  ).value(name, name === 'run' ? firstRun : 1);
  return (next as number) - 1;
}

/** Ensures that no number up to `number` is drawn later. */
export function reserveNumber({ sql }: Transaction, name: CounterName, number: number) {
  sql(
    `INSERT INTO counters (name, next_value) VALUES (?, ?)
     ON CONFLICT (name) DO UPDATE SET next_value = max(next_value, excluded.next_value)`,
  ).run(name, number + 1);
}

/** The first numbers that a configuration gives a store used with a broker. */
export interface FirstNumbers {
  first_execution_number?: number | undefined;
  first_run_number?: number | undefined;
}

const numberFrom = (first: number, end: number) => first + Math.floor(Math.random() * (end - first));

/**
 * Moves a store's numbers once to a random place, so that stores that share a broker do not assign the same
 * ids.
 */
export function spreadNumbers(tx: Transaction, { first_execution_number, first_run_number }: FirstNumbers) {
  const { sql } = tx;
  const once = sql(`INSERT INTO store_meta (key, value) VALUES ('numbers_spread', '1') ON CONFLICT DO NOTHING`).run();
  if (once.changes === 0) return;
  reserveNumber(tx, 'execution', (first_execution_number ?? numberFrom(1000, 10_000)) - 1);
  reserveNumber(tx, 'run', (first_run_number ?? numberFrom(1_000_000, 10_000_000)) - 1);
}

/**
 * Maps names to the numbers that replace them in log rows, for a writing connection. A name keeps its
 * number forever, so each is looked up once.
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
  /** The short form of a message id, which `fullId` reads; undefined if its first part has no number. */
  const shorten = (id: string, number: (name: string) => number | undefined) => {
    const slash = id.indexOf('/');
    if (slash === -1) return id;
    const first = number(id.slice(0, slash));
    return first === undefined ? undefined : `${first}${id.slice(slash)}`;
  };
  return {
    /**
     * The number of a name, assigned if it has none yet; null for no name. Call it in a write transaction.
     */
    numberOf: (name: string | undefined): number | null => (name === undefined ? null : numberOf(name)),
    /** The short form of the id of a new row. Call it in a write transaction. */
    newShortId: (id: string) => shorten(id, numberOf) as string,
    /** The short form of an id, as `shortId` in SQL; null if no message has an id that begins like it. */
    shortId: (id: string): string | null => shorten(id, knownNumberOf) ?? null,
    /** Call it after a rollback: the new names are gone, and others may get their numbers. */
    forget: () => numbers.clear(),
  };
});
