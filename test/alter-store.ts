import { join } from 'node:path';

import Database from 'better-sqlite3';

/** Changes the store of a folder behind the back of the program. */
export function alterStore(folder: string, sql: string): void {
  const db = new Database(join(folder, 'swf.db'));
  db.exec(sql);
  db.close();
}
