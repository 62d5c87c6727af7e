import { timeWithin } from '../../lib/merged-spans.ts';

/** Columns of names: indexes into `names`, -1 if unknown. */
export type NameColumn = 'stf' | 'worker' | 'host' | 'cause';

/**
 * Columns of numbers: `state` is an index into `sliceStatuses`, `isCurrent` 1 if this is the slice's current
 * attempt.
 */
type NumberColumn = 'sliceId' | 'attempt' | 'state' | 'isCurrent';

/** Columns of times, in milliseconds since 1970, NaN if unknown; `created`: when the slice was made. */
type TimeColumn = 'created' | 'queued' | 'started' | 'completed';

/** Every attempt at every slice of an execution, as columns. */
export interface Attempts extends Readonly<Record<NameColumn | NumberColumn | TimeColumn, ArrayLike<number>>> {
  readonly length: number;
  readonly names: Readonly<Record<NameColumn, { readonly all: readonly string[] }>>;
}

/** A period, in milliseconds since 1970. */
export interface Period {
  from: number;
  until: number;
}

/** The life of an execution, in milliseconds since 1970. */
export interface Life {
  start: number;
  /** Its end, or now. */
  end: number;
  hasEnded: boolean;
  /**
   * When its driver last gave a sign of life, if it is gone and was not replaced: nothing has been done
   * since.
   */
  silentSince?: number;
  /** Periods in which no work was done: without a driver, or while the driver stood still. */
  idle?: readonly Period[];
}

/** The time until which workers worked. */
export const endOfWork = ({ end, silentSince }: Life) => silentSince ?? end;

/** Milliseconds from one time to another in which work may have been done. */
export const workTime = ({ idle = [] }: Life, from: number, until: number) =>
  Math.max(0, until - from) - timeWithin(idle, from, until);

/** Whether slices in hand may still be done. */
export const goesOn = ({ hasEnded, silentSince }: Life) => !hasEnded && silentSince === undefined;
