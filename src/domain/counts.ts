/** The counts of an execution that every answer reports alike. */
export interface Counts {
  stf_count: number;
  tf_files_received: number;
  slices_created: number;
  slices_queued: number;
  slices_processing: number;
  slices_completed: number;
  slices_failed: number;
}

/** Their names, in the order in which they are shown. */
export const countNames = [
  'stf_count',
  'tf_files_received',
  'slices_created',
  'slices_queued',
  'slices_processing',
  'slices_completed',
  'slices_failed',
] as const satisfies readonly (keyof Counts)[];

/** Only the counts of a row, without its other fields. */
export const countsIn = (row: Counts): Counts =>
  Object.fromEntries(countNames.map((name) => [name, row[name]])) as unknown as Counts;
