import Database from 'better-sqlite3';

/** The bytes per message of each table and index in a store, the largest first, as SQLite's `dbstat` counts pages. */
export function bytesByTable(store: string, messages: number): { name: string; bytes: number }[] {
  const db = new Database(store, { readonly: true });
  try {
    return db
      .prepare<[], { name: string; bytes: number }>(
        'SELECT name, sum(pgsize) AS bytes FROM dbstat GROUP BY name ORDER BY bytes DESC',
      )
      .all()
      .map(({ name, bytes }) => ({ name, bytes: Math.round((10 * bytes) / messages) / 10 }));
  } finally {
    db.close();
  }
}
