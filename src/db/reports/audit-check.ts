/** One of the looks that an audit takes, and what it found. */
export interface AuditCheck {
  check: 'stf_planned' | 'stf_announced' | 'stf_ready' | 'samples' | 'slices' | 'coverage' | 'results' | 'counts';
  state: 'ok' | 'open' | 'broken';
  expected: number;
  found: number;
  /** Ids of what is missing or wrong, the first of them. */
  ids: string[];
  /** How many there are, those that are not named too. */
  id_count: number;
  /** Its meaning, where it is not ok. */
  problem?: string;
}

/** Ids that a check names. */
export const namedIds = 20;

/** The meaning of a lack: something is not done yet, or the records contradict each other. */
export type Missing = 'open' | 'broken';

/** A check of which some items are missing or wrong. */
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
