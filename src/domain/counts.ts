/**
 * The names of the counts of an execution that every answer reports in the same way, in the order in which they are
 * shown.
 */
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

/** Only the counts of a row, without its other fields. */
export const countsIn = (row: Counts) => Object.fromEntries(countNames.map((name) => [name, row[name]])) as Counts;
