import { join } from 'node:path';

import Database from 'better-sqlite3';

import { temporaryFolder } from '../test/folder.ts';
import { type Figure, median } from './figure.ts';
import { runMeasured } from './processes.ts';

/** Rows a commit of the floor: more make it hardly faster. */
const batch = 256;

/** A run at full speed, in messages a second, beside the raw inserts of the same rows in batches. */
export async function benchPipeline({ stfs = 1000, rounds = 3 }: { stfs?: number; rounds?: number } = {}): Promise<{
  figures: Figure[];
  store: string;
}> {
  const bare: number[] = [];
  const withFiles: number[] = [];
  const floors: number[] = [];
  let peak = 0;
  let store = '';
  for (let round = 0; round < rounds; round += 1) {
    store = join(temporaryFolder(), 'swf.db');
    const filed = await run(stfs, '--db', join(temporaryFolder(), 'swf.db'));
    const { answer, rate, peak: mine } = await run(stfs, '--db', store, '--set', 'data.write_files=false');
    peak = Math.max(peak, mine, filed.peak);
    bare.push(rate);
    withFiles.push(filed.rate);
    floors.push((answer['messages'] ?? 0) / insertRaw(store));
  }
  const floor = { what: `raw inserts of the same rows, ${batch} a commit`, value: median(floors) };
  const figures: Figure[] = [
    {
      figure: `pipeline of ${stfs} STFs without files (median of ${rounds})`,
      unit: 'messages/s',
      ours: median(bare),
      floor,
      aim: { says: '≥ 10,000/s, ≥ 0.3 × floor', holds: ({ ours }) => ours >= 10_000 && ours >= 0.3 * floor.value },
      usual: 0.17,
    },
    { figure: `pipeline of ${stfs} STFs with files`, unit: 'messages/s', ours: median(withFiles), floor, usual: 0.08 },
    {
      figure: 'peak memory of the run',
      unit: 'MB',
      ours: peak,
      aim: { says: '≤ 250 MB', holds: ({ ours }) => ours <= 250 },
    },
  ];
  return { figures, store };
}

async function run(stfs: number, ...args: string[]) {
  const { answer, peak } = await runMeasured(['run', '--speed', 'max', '--json', '--stf-count', String(stfs), ...args]);
  return { answer, peak, rate: (answer['messages'] ?? NaN) / (answer['duration_seconds'] ?? NaN) };
}

/** Inserts every row of a store into an empty one of the same schema; the seconds that it takes. */
function insertRaw(store: string): number {
  const source = new Database(store, { readonly: true });
  // Words are indexed beside the rows, and are no rows themselves.
  const tableNames = source
    .prepare<[], string>(`SELECT s.name FROM sqlite_schema AS s JOIN pragma_table_list AS l USING (name)
       WHERE l.type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY s.rowid`)
    .pluck()
    .all();
  const schema = source
    .prepare<[], { sql: string; tbl_name: string }>(
      `SELECT sql, tbl_name FROM sqlite_schema WHERE type IN ('table', 'index') AND sql IS NOT NULL`,
    )
    .all()
    .filter(({ tbl_name }) => tableNames.includes(tbl_name));
  const tables = tableNames.map((name) => ({
    name,
    rows: source.prepare<[], unknown[]>(`SELECT * FROM ${name}`).raw().all(),
  }));
  source.close();
  const target = new Database(join(temporaryFolder(), 'raw.db'));
  // As the product sets them.
  for (const pragma of ['journal_mode = WAL', 'synchronous = NORMAL', 'wal_autocheckpoint = 3000'])
    target.pragma(pragma);
  for (const { sql } of schema) target.exec(sql);
  const began = performance.now();
  for (const { name, rows } of tables) {
    if (rows.length === 0) continue;
    const insert = target.prepare(`INSERT INTO ${name} VALUES (${(rows[0] ?? []).map(() => '?').join(', ')})`);
    const some = target.transaction((part: unknown[][]) => part.forEach((row) => insert.run(...row)));
    for (let at = 0; at < rows.length; at += batch) some.immediate(rows.slice(at, at + batch));
  }
  const seconds = (performance.now() - began) / 1000;
  target.close();
  return seconds;
}
