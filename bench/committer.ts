import Database from 'better-sqlite3';

/** Returns a function that commits something no answer shows. */
export function committer(store: string): () => void {
  const db = new Database(store);
  const write = db.prepare<[string]>(
    `INSERT INTO store_meta (key, value) VALUES ('bench', ?) ON CONFLICT DO UPDATE SET value = excluded.value`,
  );
  let n = 0;
  return () => void write.run(String((n += 1)));
}
