import { timeWithin } from '../../lib/merged-spans.ts';

/** Columns of names: indexes into `names`, -1 if unknown. */
export type NameColumn = 'stf' | 'worker' | 'host' | 'cause';

/**
 * Columns of numbers. `state` is an index into `sliceStatuses`; `isCurrent` is 1 for the slice's current
 * attempt.
 */
type NumberColumn = 'sliceId' | 'attempt' | 'state' | 'isCurrent';

/** Columns of times, in milliseconds since 1970, NaN if unknown. `created`: when the slice was created. */
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
  /** The end of the execution, or now. */
  end: number;
  hasEnded: boolean;
  /**
   * When the execution's driver last gave a sign of life, if that driver is gone and has not been replaced. No
   * work has been done since then.
   */
  silentSince?: number;
  /** Periods in which no work was done because there was no driver or the driver stood still. */
  idle?: readonly Period[];
}

export const endOfWork = ({ end, silentSince }: Life) => silentSince ?? end;

/**
 * The milliseconds between two moments, not counting idle periods, in which no work was done.
 */
export const workTime = ({ idle = [] }: Life, from: number, until: number) =>
  Math.max(0, until - from) - timeWithin(idle, from, until);

/** Whether slices in hand may still be completed. */
export const goesOn = ({ hasEnded, silentSince }: Life) => !hasEnded && silentSince === undefined;
