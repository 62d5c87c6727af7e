/** As SQL: how many starts of an execution, or of a slice of it, were lost with their worker. @param of the table whose row names it */
export const lostStartsOf = (of: string): string =>
  `(SELECT count(*) FROM lost_starts AS l WHERE l.execution_id = ${of}.execution_id)`;

export const sliceLostStarts = (of: string): string =>
  `iif(${of}.followed_starts > 0, (SELECT count(*) FROM lost_starts AS l WHERE l.slice_filename = ${of}.slice_filename AND l.execution_id = ${of}.execution_id), 0)`;
