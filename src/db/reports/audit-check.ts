/** One check of an audit, and what it found. */
export interface AuditCheck {
  check: 'stf_planned' | 'stf_announced' | 'stf_ready' | 'samples' | 'slices' | 'coverage' | 'results' | 'counts';
  state: 'ok' | 'open' | 'broken';
  expected: number;
  found: number;
  /** The first ids of missing or wrong items. */
  ids: string[];
  /** The total number, including unnamed ids. */
  id_count: number;
  /** The meaning of a state other than `ok`. */
  problem?: string;
}

/** How many ids a check names. */
export const namedIds = 20;

/** The meaning of missing items: something is not done yet, or the records contradict each other. */
export type Missing = 'open' | 'broken';

export function checked(
  check: AuditCheck['check'],
  {
    expected,
    found,
    ids,
    id_count = ids.length,
  }: { expected: number; found: number; ids: string[]; id_count?: number },
  state: Missing,
  problem: string,
): AuditCheck {
  const counts = { check, expected, found, ids: ids.slice(0, namedIds), id_count };
  return ids.length === 0 && expected === found ? { ...counts, state: 'ok' } : { ...counts, state, problem };
}
