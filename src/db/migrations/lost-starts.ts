/** As SQL: how many starts of an execution were lost with their worker. @param of the table whose row names the execution */
export const lostStartsOf = (of: string): string =>
  `(SELECT count(*) FROM lost_starts AS l WHERE l.execution_id = ${of}.execution_id)`;

/** As SQL: how many starts of a slice were lost with their worker. @param of the name by which the query reads `tf_slices` */
export const sliceLostStarts = (of: string): string =>
  `iif(${of}.followed_starts > 0, (SELECT count(*) FROM lost_starts AS l WHERE l.slice_filename = ${of}.slice_filename AND l.execution_id = ${of}.execution_id), 0)`;
