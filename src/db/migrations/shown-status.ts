/** As SQL: whether a slice is of an observed execution. @param slices the table, or its alias */
export const isOfOthers = (slices: string): string =>
  `EXISTS (SELECT 1 FROM workflow_executions AS w WHERE w.execution_id = ${slices}.execution_id AND w.origin = 'observed')`;

/** As SQL: the state of a slice as tools name it: see `shownSliceStatus`. */
export const shownStatus = (slices: string, column = 'status'): string =>
  `iif(${slices}.${column} = 'queued' AND ${isOfOthers(slices)}, 'unanswered', ${slices}.${column})`;
