import { isAlive } from '../../lib/process-identity.ts';
import { wordsOf } from '../../lib/words.ts';
import { viewsFor } from '../migrations/older-schemas.ts';
import { rowBlockNoter } from '../notes/row-blocks.ts';
import { settleObserved } from '../observed/settle.ts';
import { createTables } from '../opening/create-tables.ts';
import { createMessageWriter } from '../recording/message-writer.ts';
import { type Connection, Database } from '../sqlite/connection.ts';
import { preparer } from '../sqlite/statements.ts';
import { transactOn } from '../sqlite/transaction.ts';
import { historyOf, type HistoryRow, keyColumns, projected, replay, storedColumns, unlogged } from './replay.ts';

/** Tables that are derived from the log, and notes about blocks of rows. All other tables are copied. */
const fromLog: ReadonlySet<string> = new Set([
  ...projected,
  ...wordsOf(`
    message_rows message_subjects names returned_slices
    time_blocks message_counts message_totals message_namespaces recorded_blocks word_parts
  `),
]);

/**
 * Makes an older store readable as if it had the newest schema, as far as `fillFrom` requires.
 * @param version the older store's schema version
 */
export function readAsNewest(old: Connection, version: number) {
  old.exec(viewsFor(version));
}

/**
 * Creates a store with the newest schema in an empty file, from the rows of an older store. Returns its
 * connection.
 */
export async function fillFrom(old: Connection, path: string, say: (line: string) => void) {
  const db = new Database(path);
  try {
    // These settings are safe, since the file is not used until it is complete and on disk.
    for (const setting of ['journal_mode = OFF', 'synchronous = OFF', 'foreign_keys = OFF']) db.pragma(setting);
    createTables(db);
    const sql = preparer(db);
    const blocks = rowBlockNoter(sql);
    const note = db.transaction(() => blocks.note());
    const inOne = db.transaction((work: () => unknown) => work());
    inOne(() => copyTable(old, db, 'names'));
    await replay(toldRows(old, say), {
      messages: createMessageWriter(sql),
      write: async (work) => {
        const done = db.transaction(() => transactOn(sql, work))();
        note();
        return done;
      },
    });
    say('copying what is not in the log');
    inOne(() => copyUnlogged(old, db));
    inOne(() => transactOn(sql, (tx) => settleObserved(tx, { isAlive, now: Date.now() })));
    note();
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Reads a store's log. Reports progress at the start and after each tenth of the log. */
function* toldRows(old: Connection, say: (line: string) => void): Generator<HistoryRow> {
  const total = preparer(old)<number>('SELECT count(*) FROM message_rows').value() ?? 0;
  let read = 0;
  for (const row of historyOf(preparer(old))) {
    if (read % Math.ceil(total / 10) === 0) say(`reading the log: ${read} of ${total} messages`);
    read += 1;
    yield row;
  }
}

/**
 * Replaces a table's rows with those of the older store, if the older store has the table. A column that the
 * older store lacks gets its default.
 */
function copyTable(old: Connection, db: Connection, table: string) {
  const there = new Set(storedColumns(preparer(old), table));
  const columns = storedColumns(preparer(db), table).filter((column) => there.has(column));
  if (columns.length === 0) return;
  const names = columns.join(', ');
  db.exec(`DELETE FROM ${table}`);
  const insert = db.prepare(`INSERT INTO ${table} (${names}) VALUES (${columns.map(() => '?').join(', ')})`);
  for (const row of old.prepare<[], unknown[]>(`SELECT ${names} FROM ${table}`).raw().iterate()) insert.run(...row);
}

/** Copies everything that cannot be derived from the log. */
function copyUnlogged(old: Connection, db: Connection) {
  const sql = preparer(db);
  // Copy tables in the order in which they were created: a table comes after those whose triggers fill it.
  const tables = sql<string>(
    `SELECT name FROM sqlite_schema
     WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT GLOB '*_words_*' ORDER BY rowid`,
  )
    .values()
    .filter((table) => !fromLog.has(table));
  // Replaying messages from other programs has created rows of agents and processes; the older store's rows
  // replace them.
  for (const table of tables) db.exec(`DELETE FROM ${table}`);
  for (const table of tables) copyTable(old, db, table);
  for (const [table, column] of unlogged) copyColumn(old, db, table, column);
  for (const column of ['goes_out', 'outbox_sent_at']) copyColumn(old, db, 'message_rows', column);
  // No number is assigned twice, even if the rows with the last numbers are gone.
  for (const table of [...tables, 'message_rows']) {
    const last = preparer(old)<number>('SELECT seq FROM sqlite_sequence WHERE name = ?').value(table) ?? 0;
    sql('UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?').run(last, table);
    sql(
      `INSERT INTO sqlite_sequence (name, seq)
       SELECT ?, ? WHERE ? > 0 AND ? NOT IN (SELECT name FROM sqlite_sequence)`,
    ).run(table, last, last, table);
  }
}

/** Copies the values of one column into rows that the new store already has. */
function copyColumn(old: Connection, db: Connection, table: string, column: string) {
  if (!storedColumns(preparer(old), table).includes(column)) return;
  const key = table === 'message_rows' ? ['seq'] : keyColumns(preparer(db), table);
  const set = db.prepare(`UPDATE ${table} SET ${column} = ? WHERE ${key.map((name) => `${name} = ?`).join(' AND ')}`);
  const rows = old.prepare<[], unknown[]>(
    `SELECT ${[column, ...key].join(', ')} FROM ${table} WHERE ${column} IS NOT NULL`,
  );
  for (const row of rows.raw().iterate()) set.run(...row);
}
