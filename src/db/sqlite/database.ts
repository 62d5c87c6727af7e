import { createRequire } from 'node:module';

import type BetterSqlite3 from 'better-sqlite3';

/**
 * SQLite. It is required, not imported: Node reads through a package of the older kind for its names before it imports it, which takes longer than
 * to load it.
 */
export const Database = createRequire(import.meta.url)('better-sqlite3') as typeof BetterSqlite3;
