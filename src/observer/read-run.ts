import { type Fields, objectOf } from '../observed/reading/values.ts';

/** A request that fails this often is skipped: the cause is not the monitor's absence. */
export const maxTries = 3;

/** One request. */
export interface Step {
  act: () => Promise<void>;
  run?: Run;
  tries: number;
}

/** A run being read. */
export interface Run {
  execution_id: string;
  run_id: string | undefined;
  /** Whether it is no longer listed as running. */
  isGone: boolean;
  /** When it was seen to have ended. Milliseconds since 1970. */
  endedAt: number | undefined;
  /** When reading its lists last began. */
  listedAt: number;
  /** Digests of the lines read about it. */
  seen: Set<string>;
  /** STF files whose TF files are still to be read, and all known STF files. */
  stfs: string[];
  allStfs: Set<string>;
  /** Whether a request of this round was skipped. */
  isPartial: boolean;
}

export const newRun = (execution_id: string): Run => ({
  execution_id,
  run_id: undefined,
  isGone: false,
  endedAt: undefined,
  listedAt: -Infinity,
  seen: new Set(),
  stfs: [],
  allStfs: new Set(),
  isPartial: false,
});

/** The objects of a list: an array, or a page of it. */
export function itemsOf(answer: unknown): Fields[] {
  const items = Array.isArray(answer) ? answer : objectOf(answer)['results'];
  if (!Array.isArray(items)) throw new Error('it answers with something else than a list');
  return items.map(objectOf);
}
