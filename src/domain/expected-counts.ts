/**
 * The counts for which a caller may require a value. `stf` and `tf` count files; `registered` and `processed`
 * count STF files.
 */
export const expectable = ['stf', 'tf', 'slices', 'completed', 'failed', 'registered', 'processed'] as const;

export type Expected = Partial<Record<(typeof expectable)[number], number>>;
