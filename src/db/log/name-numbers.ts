import { onceFor } from '../../lib/once-for.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** Name numbers of a writing connection. */
export const nameNumbers = onceFor((sql: Prepare) => new NameNumbers(sql));

/** Maps names to the numbers that replace them in log rows. A name keeps its number for good, so each is looked up once. */
class NameNumbers {
  readonly #sql: Prepare;
  readonly #numbers = new Map<string, number>();

  constructor(sql: Prepare) {
    this.#sql = sql;
  }

  /** The number of a name, assigned if it has none yet; null for no name. Call it in a write transaction. */
  readonly numberOf = (name: string | undefined): number | null => {
    if (name === undefined) return null;
    const number = this.#numbers.get(name) ?? this.#find(name) ?? this.#add(name);
    this.#numbers.set(name, number);
    return number;
  };

  /** Call it after a rollback: the new names are gone, and others may get their numbers. */
  forget(): void {
    this.#numbers.clear();
  }

  #find(name: string): number | undefined {
    return this.#sql<[string], { name_no: number }>('SELECT name_no FROM names WHERE name = ?').get(name)?.name_no;
  }

  #add(name: string): number {
    return Number(this.#sql<[string]>('INSERT INTO names (name) VALUES (?)').run(name).lastInsertRowid);
  }
}
