/** As SQL: the STF files of an execution: those announced, or as many as the end of an observed run states. @param stated the number that it states */
export const stfCount = (stated: string): string =>
  `max(stfs_announced, iif(origin = 'observed', coalesce(${stated}, 0), 0))`;

/** As SQL: whether a slice is of an observed execution. @param slices the table, or its alias */
export const isOfOthers = (slices: string): string =>
  `EXISTS (SELECT 1 FROM workflow_executions AS w WHERE w.execution_id = ${slices}.execution_id AND w.origin = 'observed')`;

/** As SQL: the state of a slice as tools name it: see `shownSliceStatus`. */
export const shownStatus = (slices: string, column = 'status'): string =>
  `iif(${slices}.${column} = 'queued' AND ${isOfOthers(slices)}, 'unanswered', ${slices}.${column})`;
