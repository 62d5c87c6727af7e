import Database from 'better-sqlite3';

/** All that a text could do more than be read, in characters that JSON leaves as they are: they go through every table. */
export const hostileText =
  'x\u009B31m\u0085\u007F\u202Egpj\u2066\u200B\u2060\uFEFF\u00AD\u{E0041}\u2028\u2029\u115F\u3164\uFFA0\u034F\u2800\uFE0F\u{E0101}\uE000' +
  '![p](http://evil.test/q)<img src=//evil.test><script>alert(1)</script>y';

/** Characters that must be nowhere in what anybody sees. */
export const harmful = /[\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/u;

/** Puts `hostileText` into every text of a store that holds a word: names of users, agents, hosts and executions, errors, log lines. */
export function makeHostile(path: string, word: string): void {
  const db = new Database(path);
  db.unsafeMode(true);
  const tables = db
    .prepare(
      `SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' AND name NOT LIKE 'sqlite_%'`,
    )
    .pluck()
    .all() as string[];
  // A trigger would write the new texts a second time.
  const triggers = db.prepare(`SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'`).all() as {
    name: string;
    sql: string;
  }[];
  db.transaction(() => {
    for (const { name } of triggers) db.exec(`DROP TRIGGER ${name}`);
    for (const table of tables) {
      const columns = db.prepare(`SELECT name FROM pragma_table_info(?)`).pluck().all(table) as string[];
      for (const column of columns)
        db.prepare(
          `UPDATE "${table}" SET "${column}" = replace("${column}", ?, ?) WHERE typeof("${column}") = 'text' AND instr("${column}", ?) > 0`,
        ).run(word, `${word}${hostileText}`, word);
    }
    for (const { sql } of triggers) db.exec(sql);
  })();
  db.close();
}
