import { createRequire } from 'node:module';

import type BetterSqlite3 from 'better-sqlite3';

/** An open SQLite file, which `using` closes. */
export type Connection = BetterSqlite3.Database & Disposable;

/** Makes connections disposable; better-sqlite3 does not do so yet. */
interface DatabaseClass {
  new (...of: ConstructorParameters<typeof BetterSqlite3>): Connection;
  readonly prototype: Connection;
  readonly SqliteError: typeof BetterSqlite3.SqliteError;
}

/**
 * The better-sqlite3 package. It is loaded with `require`: before importing a CommonJS package, Node.js scans
 * it for its exports, which takes longer than loading it.
 */
export const Database = createRequire(import.meta.url)('better-sqlite3') as DatabaseClass;

Object.assign(Database.prototype, {
  [Symbol.dispose](this: Connection) {
    this.close();
  },
});
