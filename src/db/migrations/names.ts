/** As SQL: the number of a name (`names`); NULL if no message has it. */
export const numberOf = (name: string) => `(SELECT name_no FROM names WHERE name = ${name})`;

/** As SQL: the name of a number. */
export const nameOf = (number: string) => `(SELECT name FROM names WHERE name_no = ${number})`;

/** As SQL: the numbers of message types, for `IN`. */
export const typeNumbers = (types: readonly string[]) =>
  `(SELECT name_no FROM names WHERE name IN (${types.map((type) => `'${type}'`).join(', ')}))`;
