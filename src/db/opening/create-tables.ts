import { schema } from '../migrations/schema.ts';
import type { Connection } from '../sqlite/connection.ts';
import { isEmpty, noteKind } from './schema-version.ts';

/**
 * Creates the tables of a new store unless another process has done so in the meantime. Call it in a
 * transaction.
 */
export function createTables(db: Connection) {
  if (!isEmpty(db)) return;
  db.exec(schema);
  noteKind(db);
}
