import { objectOf } from '../observed/reading/values.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** A request that fails so often is left out: something else than the monitor's absence is behind it. */
export const mostTries = 3;

/** One request. */
export interface Step {
  act: () => Promise<void>;
  run?: Run;
  tries: number;
}

/** A run that is read. */
export interface Run {
  execution_id: string;
  run_id: string | undefined;
  /** Whether it is no longer among those that run. */
  isGone: boolean;
  /** When it was seen to have ended. Milliseconds since 1970. */
  endedAt: number | undefined;
  /** When reading its lists began last. */
  listedAt: number;
  /** Digests of what was read of it. */
  seen: Set<string>;
  /** STF files whose TF files are still to be asked for; and all that are known. */
  stfs: string[];
  allStfs: Set<string>;
  /** Whether a request of this round was left out. */
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

/** The objects of a list: an array, or its page. */
export function itemsOf(answer: unknown): Fields[] {
  const items = Array.isArray(answer) ? answer : objectOf(answer)['results'];
  if (!Array.isArray(items)) throw new Error('it answers with something else than a list');
  return items.map(objectOf);
}
