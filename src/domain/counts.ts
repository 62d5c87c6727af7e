/** The names of an execution's counts, listed in the order in which every answer reports them. */
export const countNames = [
  'stf_count',
  'tf_files_received',
  'slices_created',
  'slices_queued',
  'slices_processing',
  'slices_completed',
  'slices_failed',
] as const;

export type Counts = Record<(typeof countNames)[number], number>;

export const countsIn = (row: Counts) => Object.fromEntries(countNames.map((name) => [name, row[name]])) as Counts;
