/**
 * The counts that may be expected. Files are STF files and TF files; `registered` and `processed` are of STF
 * files.
 */
export const expectable = ['stf', 'tf', 'slices', 'completed', 'failed', 'registered', 'processed'] as const;

export type Expected = Partial<Record<(typeof expectable)[number], number>>;
