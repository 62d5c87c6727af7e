/** As SQL: the number of a name (`names`); NULL if no message contains the name. */
export const numberOf = (name: string) => `(SELECT name_no FROM names WHERE name = ${name})`;

/** As SQL: the name that belongs to a number. */
export const nameOf = (number: string) => `(SELECT name FROM names WHERE name_no = ${number})`;

/**
 * As SQL: restores a message id from its short form, byte for byte. Most ids begin with an execution id, and
 * the others with one of a few words, so the part before the first slash is stored as its number:
 * `12/stf_ready/…`. An id without a slash is stored unchanged, so each id has one short form, and each short
 * form belongs to one id.
 * @param short the column; SQLite's text functions stop at a NUL character, but its byte functions do not
 */
export const fullId = (short: string) =>
  `iif(instr(${short}, '/') = 0, ${short}, ${nameOf(`CAST(${short} AS INTEGER)`)} || substr(CAST(${short} AS BLOB), instr(${short}, '/')))`;

/** As SQL: the inverse of `fullId`; NULL if the first part of the id has no number. */
export const shortId = (id: string) =>
  `(SELECT iif(slash = 0, id, ${numberOf('CAST(substr(bytes, 1, slash - 1) AS TEXT)')} || substr(bytes, slash))
    FROM (SELECT id, bytes, instr(bytes, X'2F') AS slash FROM (SELECT id, CAST(id AS BLOB) AS bytes FROM (SELECT ${id} AS id))))`;

/** As SQL: the numbers of message types, for `IN`. */
export const typeNumbers = (types: readonly string[]) =>
  `(SELECT name_no FROM names WHERE name IN (${types.map((type) => `'${type}'`).join(', ')}))`;
