import { createRequire } from 'node:module';

import type BetterSqlite3 from 'better-sqlite3';

/** An open SQLite file, which `using` closes. */
export type Connection = BetterSqlite3.Database & Disposable;

/** Makes connections disposable, which those of better-sqlite3 are not yet. */
interface DatabaseClass {
  new (...of: ConstructorParameters<typeof BetterSqlite3>): Connection;
  readonly prototype: Connection;
  readonly SqliteError: typeof BetterSqlite3.SqliteError;
}

/**
 * SQLite. It is required, not imported: before importing a CommonJS package, Node scans it for its exports,
 * which takes longer than loading it.
 */
export const Database = createRequire(import.meta.url)('better-sqlite3') as DatabaseClass;

Object.assign(Database.prototype, {
  [Symbol.dispose](this: Connection) {
    this.close();
  },
});
