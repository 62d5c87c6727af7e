/** One check of an audit, and what it found. */
export interface AuditCheck {
  check: 'stf_planned' | 'stf_announced' | 'stf_ready' | 'samples' | 'slices' | 'coverage' | 'results' | 'counts';
  /** `unknown`: nothing shows whether it holds, and `problem` says why. */
  state: 'ok' | 'open' | 'broken' | 'unknown';
  expected: number;
  found: number;
  /** The first ids of missing or wrong items. */
  ids: string[];
  /** The total number, including unnamed ids. */
  id_count: number;
  /** The meaning of a state other than `ok`. */
  problem?: string;
}

/** The checks of an execution. `mayBeWhole`: it has ended and all of it could be seen, so that what is whole is complete. `remark`: a limit of the checks. */
export interface Checks {
  checks: AuditCheck[];
  mayBeWhole: boolean;
  remark?: string | undefined;
}

/** How many ids a check names. */
export const namedIds = 20;

/** The meaning of missing items: something is not done yet, or the records contradict each other. */
export type Missing = 'open' | 'broken' | 'unknown';

/** The counts that a check compares. `id_count` defaults to the number of `ids`. */
export interface Compared extends Pick<AuditCheck, 'expected' | 'found' | 'ids'> {
  id_count?: number;
}

export function checked(check: AuditCheck['check'], compared: Compared, state: Missing, problem: string): AuditCheck {
  const { expected, found, ids, id_count = ids.length } = compared;
  const counts = { check, expected, found, ids: ids.slice(0, namedIds), id_count };
  return ids.length === 0 && expected === found ? { ...counts, state: 'ok' } : { ...counts, state, problem };
}

/** Compares kept counts with those of the rows: by name, the ones that differ. */
export function comparedCounts(rows: Readonly<Record<string, number>>, kept: object | undefined): Compared {
  const names = Object.keys(rows);
  const ids = names.filter((name) => rows[name] !== (kept as Record<string, unknown> | undefined)?.[name]);
  return { expected: names.length, found: names.length - ids.length, ids };
}
