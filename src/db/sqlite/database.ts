import { createRequire } from 'node:module';

import type BetterSqlite3 from 'better-sqlite3';

/**
 * SQLite. It is required, not imported: before importing a CommonJS package, Node scans it for its exports, which takes longer than loading it.
 */
export const Database = createRequire(import.meta.url)('better-sqlite3') as typeof BetterSqlite3;
