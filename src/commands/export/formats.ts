import { closeSync, openSync, writeFileSync } from 'node:fs';

import { fileWriter, parquetWriteRows } from 'hyparquet-writer';

import type { ExportedKind, ExportedRow, ExportedTable } from '../../db/reports/export.ts';
import { csvRecord } from '../../lib/words.ts';
import type { Format } from './format-names.ts';

/** Writes the rows of a table as a file. Returns how many there were. */
type Write = (path: string, table: ExportedTable, rows: Iterable<ExportedRow>) => number;

/** How much text to gather before writing, in characters. */
const chunk = 262_144;

function writeTexts(path: string, head: string, rows: Iterable<ExportedRow>, textOf: (row: ExportedRow) => string) {
  const file = openSync(path, 'wx', 0o600);
  let count = 0;
  try {
    let text = head;
    for (const row of rows) {
      text += textOf(row);
      count += 1;
      if (text.length < chunk) continue;
      // All of it or an error: on a nearly full disk a plain write may be partial.
      writeFileSync(file, text);
      text = '';
    }
    writeFileSync(file, text);
  } finally {
    closeSync(file);
  }
  return count;
}

const kinds = {
  text: 'STRING',
  // Sequences and sizes may be larger than 32 bits.
  integer: 'INT64',
  real: 'DOUBLE',
  time: 'TIMESTAMP',
} as const satisfies Record<ExportedKind, string>;

/** Rows per group of a Parquet file; a group is held in memory. */
const rowGroupSize = 10_000;

function valueOf(value: string | number | null, kind: ExportedKind): unknown {
  if (value === null) return null;
  if (kind === 'integer') return BigInt(value);
  return kind === 'time' ? new Date(value) : value;
}

function* counted(rows: Iterable<ExportedRow>, columns: [string, ExportedKind][], count: { n: number }) {
  for (const row of rows) {
    count.n += 1;
    yield Object.fromEntries(columns.map(([name, kind]) => [name, valueOf(row[name] ?? null, kind)]));
  }
}

export const writers: Readonly<Record<Format, Write>> = {
  csv: (path, { columns }, rows) => {
    const names = Object.keys(columns);
    return writeTexts(path, csvRecord(names), rows, (row) => csvRecord(names.map((name) => row[name])));
  },
  jsonl: (path, { columns }, rows) => {
    const names = Object.keys(columns);
    const fieldsOf = (row: ExportedRow) => Object.fromEntries(names.map((name) => [name, row[name]]));
    return writeTexts(path, '', rows, (row) => `${JSON.stringify(fieldsOf(row))}\n`);
  },
  parquet: (path, { columns }, rows) => {
    const entries = Object.entries(columns);
    const count = { n: 0 };
    // The writer would make a file that everybody can read.
    closeSync(openSync(path, 'wx', 0o600));
    const written = parquetWriteRows({
      writer: fileWriter(path),
      columns: entries.map(([name, kind]) => ({ name, type: kinds[kind], nullable: true })),
      rows: counted(rows, entries, count),
      rowGroupSize,
      createdBy: 'swf-mcp',
    });
    if (written !== undefined) throw new Error('a file on a disk is written at once');
    return count.n;
  },
};
