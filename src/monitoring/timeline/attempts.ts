/**
 * Every attempt at every slice of an execution as columns of numbers. Times are milliseconds since 1970, NaN where there is none; names are numbers of
 * `names`, -1 where there is none; states are places in `sliceStatuses`.
 */
export interface Attempts {
  readonly length: number;
  readonly names: Readonly<Record<'stf' | 'worker' | 'host' | 'cause', { readonly all: readonly string[] }>>;
  readonly stf: ArrayLike<number>;
  readonly sliceId: ArrayLike<number>;
  readonly attempt: ArrayLike<number>;
  readonly state: ArrayLike<number>;
  /** 1: the slice stands in this attempt. */
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

/** The life of an execution, in milliseconds since 1970. */
export interface Life {
  start: number;
  /** Its end, or now. */
  end: number;
  hasEnded: boolean;
  /** When its driver last gave a sign of life, where that is gone and nobody has taken its place: nothing has been done since. */
  silentSince?: number;
}

/** Until when anybody worked. */
export const endOfWork = ({ end, silentSince }: Life): number => silentSince ?? end;

/** Whether what is in hand may still be done. */
export const goesOn = ({ hasEnded, silentSince }: Life): boolean => !hasEnded && silentSince === undefined;
