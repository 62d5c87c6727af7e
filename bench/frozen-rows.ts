import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import Database from 'better-sqlite3';

import { temporaryFolder } from '../test/folder.ts';

/** How many rows share a commit: more would hardly be faster. */
export const batch = 256;

/**
 * The floor of the pipeline: the rows that commit a5aaed1 wrote for one STF, with its schema. They are
 * frozen, so that the floor does not move when rows become smaller.
 */
interface Frozen {
  schema: string[];
  tables: { name: string; columns: string[]; rows: (string | number | null)[][] }[];
}

const frozen = JSON.parse(readFileSync(join('bench', 'frozen', 'rows-of-a5aaed1.json'), 'utf8')) as Frozen;

/**
 * Inserts the rows of a run with a given number of STFs into an empty store, in batches. Returns messages a second.
 */
export function insertFrozenRows(stfs: number): number {
  const target = new Database(join(temporaryFolder(), 'frozen.db'));
  // The same settings as a run's.
  for (const pragma of ['journal_mode = WAL', 'synchronous = NORMAL', 'wal_autocheckpoint = 3000'])
    target.pragma(pragma);
  for (const sql of frozen.schema) target.exec(sql);
  const tables = frozen.tables.map(({ name, columns, rows }) => ({ name, columns, rows: rowsOf(rows, stfs) }));
  const began = performance.now();
  for (const { name, columns, rows } of tables) {
    const insert = target.prepare(`INSERT INTO ${name} VALUES (${columns.map(() => '?').join(', ')})`);
    const some = target.transaction((part: unknown[][]) => part.forEach((row) => insert.run(...row)));
    for (let at = 0; at < rows.length; at += batch) some.immediate(rows.slice(at, at + batch));
  }
  const seconds = (performance.now() - began) / 1000;
  target.close();
  return (tables.find(({ name }) => name === 'workflow_messages')?.rows.length ?? NaN) / seconds;
}

function rowsOf(template: Frozen['tables'][number]['rows'], stfs: number): unknown[][] {
  return Array.from({ length: stfs }, (_, index) => index + 1).flatMap((sequence) => {
    const name = String(sequence).padStart(6, '0');
    return template.map((row) =>
      row.map((value) => {
        if (value === 'SEQUENCE') return sequence;
        return typeof value === 'string' ? value.replaceAll('STF', name).replaceAll('SEQ', String(sequence)) : value;
      }),
    );
  });
}
