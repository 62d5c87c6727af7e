import type { Prepare } from '../sqlite/statements.ts';

/** An execution whose removal has begun, and its data folder if the folder is removed too. */
export interface Removal {
  execution_id: string;
  data_folder: string | null;
}

/** Interrupted removals, which must be completed first. */
export const openRemovals = (sql: Prepare) =>
  sql<Removal>('SELECT execution_id, data_folder FROM removals WHERE removed_at IS NULL').all();

/** A removed execution, with the time of removal and the user who removed it. */
interface Removed {
  execution_id: string;
  /** ISO 8601; null if the removal was interrupted. */
  removed_at: string | null;
  removed_by: string | null;
}

/** The removal of an execution; undefined if it was not removed. */
export const removalOf = (sql: Prepare, id: string) =>
  sql<Removed>('SELECT execution_id, removed_at, removed_by FROM removals WHERE execution_id = ?').get(id);

/**
 * The last removed execution, described in words, and the number of removed executions; undefined if there
 * are none.
 */
export function lastRemoval(sql: Prepare): (Removed & { count: number; words: string }) | undefined {
  const last = sql<Removed & { count: number }>(
    `SELECT execution_id, removed_at, removed_by, (SELECT count(*) FROM removals) AS count FROM removals
     ORDER BY removed_at IS NULL DESC, removed_at DESC LIMIT 1`,
  ).get();
  return last && { ...last, words: removalWords(last) };
}

/** When and by whom, as words to follow "was removed". */
export const removalWords = ({ removed_at, removed_by }: Removed) =>
  `${removed_at === null ? '' : ` at ${removed_at}`}${removed_by === null ? '' : ` by ${removed_by}`}`;
