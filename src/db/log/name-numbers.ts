import { onceFor } from '../../lib/once-for.ts';
import type { Prepare } from '../sqlite/statements.ts';

/** Maps names to the numbers that replace them in log rows, for a writing connection. A name keeps its number for good, so each is looked up once. */
export const nameNumbers = onceFor((sql: Prepare) => {
  const numbers = new Map<string, number>();
  const find = (name: string): number | undefined =>
    sql<[string], number>('SELECT name_no FROM names WHERE name = ?').value(name);
  const add = (name: string): number =>
    Number(sql<[string]>('INSERT INTO names (name) VALUES (?)').run(name).lastInsertRowid);
  return {
    /** The number of a name, assigned if it has none yet; null for no name. Call it in a write transaction. */
    numberOf: (name: string | undefined): number | null => {
      if (name === undefined) return null;
      const number = numbers.get(name) ?? find(name) ?? add(name);
      numbers.set(name, number);
      return number;
    },
    /** Call it after a rollback: the new names are gone, and others may get their numbers. */
    forget: () => numbers.clear(),
  };
});
