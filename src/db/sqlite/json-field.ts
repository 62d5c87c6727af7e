/** As SQL: a field of a JSON column; null if the text is damaged, which would otherwise fail the whole statement. */
export const jsonField = (column: string, field: string): string =>
  `CASE WHEN json_valid(${column}) THEN ${column} ->> '$.${field}' END`;
