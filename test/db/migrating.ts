import { openStore } from '../../src/db/opening/open-store.ts';
import type { SchemaHistory } from '../../src/db/opening/schema-version.ts';

/** Rows that the step of this history rewrites: enough to kill it in the middle. */
export const rows = 400_000;

/** A history with a step that takes some tenths of a second. */
export const slowHistory: SchemaHistory = {
  baseVersion: 1,
  base: 'CREATE TABLE t (n INTEGER PRIMARY KEY, a TEXT) STRICT;',
  steps: [
    {
      name: 'slow',
      sql: `ALTER TABLE t ADD COLUMN b TEXT;
        UPDATE t SET b = a || n;
        CREATE INDEX t_b ON t (b);
        CREATE TABLE done (n INTEGER) STRICT;`,
    },
  ],
};

/** Run as a program: migrates a store, and prints when it begins and ends. */
if (process.argv[2] !== undefined) {
  process.stdout.write('begins\n');
  const store = await openStore(process.argv[2], { history: slowHistory });
  store.close();
  process.stdout.write('is done\n');
}
