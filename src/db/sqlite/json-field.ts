/** As SQL: a field of a column of JSON; null where the text is damaged, which would end the whole statement. */
export const jsonField = (column: string, field: string): string =>
  `CASE WHEN json_valid(${column}) THEN ${column} ->> '$.${field}' END`;
