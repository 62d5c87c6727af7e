/**
 * Every attempt at every slice of an execution, as columns of numbers. Times are milliseconds since 1970, NaN if unknown; names are indexes into
 * `names`, -1 if unknown; states are indexes into `sliceStatuses`.
 */
export interface Attempts {
  readonly length: number;
  readonly names: Readonly<Record<'stf' | 'worker' | 'host' | 'cause', { readonly all: readonly string[] }>>;
  readonly stf: ArrayLike<number>;
  readonly sliceId: ArrayLike<number>;
  readonly attempt: ArrayLike<number>;
  readonly state: ArrayLike<number>;
  /** 1 if this is the slice's current attempt. */
  readonly isCurrent: ArrayLike<number>;
  readonly worker: ArrayLike<number>;
  readonly host: ArrayLike<number>;
  readonly cause: ArrayLike<number>;
  /** When the slice was made. */
  readonly created: ArrayLike<number>;
  readonly queued: ArrayLike<number>;
  readonly started: ArrayLike<number>;
  readonly completed: ArrayLike<number>;
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
  /** When its driver last gave a sign of life, if it is gone and was not replaced: nothing has been done since. */
  silentSince?: number;
  /** Times in which nobody worked: without a driver, or while it stood still. */
  idle?: readonly Period[];
}

/** The time until which anybody worked. */
export const endOfWork = ({ end, silentSince }: Life): number => silentSince ?? end;

/** Milliseconds from one time to another in which anybody may have worked. */
export const workTime = ({ idle = [] }: Life, from: number, until: number): number =>
  idle.reduce(
    (sum, hole) => sum - Math.max(0, Math.min(hole.until, until) - Math.max(hole.from, from)),
    Math.max(0, until - from),
  );

/** Whether slices in hand may still be done. */
export const goesOn = ({ hasEnded, silentSince }: Life): boolean => !hasEnded && silentSince === undefined;
