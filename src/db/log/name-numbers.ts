import type { Prepare } from '../sqlite/statements.ts';

const known = new WeakMap<Prepare, NameNumbers>();

/** The names of a connection that writes. */
export function nameNumbers(sql: Prepare): NameNumbers {
  const names = known.get(sql) ?? new NameNumbers(sql);
  known.set(sql, names);
  return names;
}

/** Gives names the numbers that stand for them in the rows of the log. A name keeps its number for good, so a number is looked up once. */
class NameNumbers {
  readonly #sql: Prepare;
  readonly #numbers = new Map<string, number>();

  constructor(sql: Prepare) {
    this.#sql = sql;
  }

  /** The number of a name, which gets one where it has none; null for no name. To be called in a write transaction. */
  readonly numberOf = (name: string | undefined): number | null => {
    if (name === undefined) return null;
    const number = this.#numbers.get(name) ?? this.#find(name) ?? this.#add(name);
    this.#numbers.set(name, number);
    return number;
  };

  /** To be called when a transaction has been rolled back: its new names are gone, and others may get their numbers. */
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
