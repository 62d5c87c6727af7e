import { messageOf } from '../lib/errors.ts';
import { type Fields, objectOf } from '../observed/reading/values.ts';

/** A request that fails this often is skipped: the cause is not the monitor's absence. */
export const maxTries = 3;

export interface Step {
  act: () => Promise<void>;
  run?: Run;
  tries: number;
}

/** A run being read. */
export type Run = ReturnType<typeof newRun>;

export const newRun = (execution_id: string, run_id?: string) => ({
  execution_id,
  run_id,
  /** Whether it is no longer listed as running. */
  isGone: false,
  /** When it was seen to have ended. Milliseconds since 1970. */
  endedAt: undefined as number | undefined,
  /** When reading its lists last began. */
  listedAt: -Infinity,
  /** Digests of the lines read about it. */
  seen: new Set<string>(),
  /** STF files whose TF files are still to be read, and all known STF files. */
  stfs: [] as string[],
  allStfs: new Set<string>(),
  /** Whether a request of this round was skipped. */
  isPartial: false,
  /** Whether an object of it was left out, since it is nested too deeply. */
  isTooDeep: false,
});

/** The objects of a list: an array, or a page of it. */
export function itemsOf(answer: unknown): Fields[] {
  const items = Array.isArray(answer) ? answer : objectOf(answer)['results'];
  if (!Array.isArray(items)) throw new Error('it answers with something other than a list');
  return items.map(objectOf);
}

/** Why a request failed, in words: a failed fetch says it in its cause alone. */
export function requestFailure(error: unknown): string {
  const { name, cause } = error as { name?: string; cause?: { code?: string; message?: string } };
  if (name === 'TimeoutError') return 'it did not answer in time';
  return cause?.code ?? cause?.message?.slice(0, 100) ?? messageOf(error);
}
