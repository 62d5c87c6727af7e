/** As SQL: the number of a name (`names`); NULL if no message has it. */
export const numberOf = (name: string) => `(SELECT name_no FROM names WHERE name = ${name})`;

/** As SQL: the name of a number. */
export const nameOf = (number: string) => `(SELECT name FROM names WHERE name_no = ${number})`;

/**
 * As SQL: a message id from its short form, byte for byte. Most ids begin with an execution, and all with one of
 * a few words, so the part before the first slash is stored as its number: `12/stf_ready/…`. An id
 * without a slash is stored as it is, so each id has one short form and each short form one id.
 * @param short the column; SQLite's text functions would end at a NUL, its byte functions do not
 */
export const fullId = (short: string) =>
  `iif(instr(${short}, '/') = 0, ${short}, ${nameOf(`CAST(${short} AS INTEGER)`)} || substr(CAST(${short} AS BLOB), instr(${short}, '/')))`;

/** As SQL: the reverse of `fullId`; NULL if no message has an id that begins like this one. */
export const shortId = (id: string) =>
  `(SELECT iif(slash = 0, id, ${numberOf('CAST(substr(bytes, 1, slash - 1) AS TEXT)')} || substr(bytes, slash))
    FROM (SELECT id, bytes, instr(bytes, X'2F') AS slash FROM (SELECT id, CAST(id AS BLOB) AS bytes FROM (SELECT ${id} AS id))))`;

/** As SQL: the numbers of message types, for `IN`. */
export const typeNumbers = (types: readonly string[]) =>
  `(SELECT name_no FROM names WHERE name IN (${types.map((type) => `'${type}'`).join(', ')}))`;
