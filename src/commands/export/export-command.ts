import { closeSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { fileWriter, parquetWriteRows } from 'hyparquet-writer';

import { openReader } from '../../db/opening/open-reader.ts';
import { createQueries } from '../../db/queries.ts';
import {
  type ExportedKind,
  type ExportedRow,
  exportedRows,
  type ExportedTable,
  exportedTables,
} from '../../db/reports/export.ts';
import { preparer } from '../../db/sqlite/statements.ts';
import { argumentInvalid, dataUnavailable, messageOf, SwfError } from '../../lib/errors.ts';
import { makeFolder } from '../../lib/file-system.ts';
import { printable } from '../../lib/printable.ts';
import { isAlive } from '../../lib/process-identity.ts';
import { csvRecord } from '../../lib/words.ts';
import { type Io, storePath } from '../shared/io.ts';
import type { Format } from '../shared/options.ts';

interface ExportArguments {
  executionId: string;
  /** A folder that is new or empty. */
  out: string;
  format: Format;
}

/**
 * `swf-mcp export`: writes everything recorded about an execution, one file per table, as of one moment. A
 * folder that is not empty is refused.
 */
export function exportCommand(io: Io, { executionId, out, format }: ExportArguments) {
  if (out === '') throw argumentInvalid('--out is empty; name a new folder');
  const folder = resolve(io.workingFolder, out);
  using db = openReader(storePath(io));
  const queries = createQueries(db, isAlive);
  const { execution_id } = queries.execution(executionId);
  makeNew(folder);
  const made: string[] = [];
  queries.snapshot(() => {
    for (const table of exportedTables) {
      const name = `${table.name}.${format}`;
      made.push(join(folder, name));
      const rows = write(made, (path) => writers[format](path, table, exportedRows(preparer(db), table, execution_id)));
      io.out(`${name.padEnd(18)} ${rows} rows\n`);
    }
  });
  io.out(`${printable(execution_id)} is in ${folder}\n`);
}

/** Makes the folder with mode 0700, or accepts an existing empty folder. */
function makeNew(folder: string) {
  let names: string[];
  try {
    makeFolder(folder);
    names = readdirSync(folder);
  } catch (error) {
    throw dataUnavailable(`the folder ${folder} cannot be created (${messageOf(error)}); give another one with --out`, {
      cause: error,
    });
  }
  if (names.length > 0)
    throw argumentInvalid(
      `${folder} is not empty (${names[0]}); give a new folder with --out, so that nothing is overwritten`,
    );
}

/** Writes the last of several files. If that fails, removes them all: otherwise the export would look complete. */
function write(paths: readonly string[], work: (path: string) => number) {
  const path = paths.at(-1) ?? '';
  try {
    return work(path);
  } catch (error) {
    for (const one of paths) rmSync(one, { force: true });
    if (error instanceof SwfError || !(error instanceof Error) || !('code' in error)) throw error;
    throw dataUnavailable(
      `${path} cannot be written (${messageOf(error)}); the export was removed: free some space, or give another folder with --out`,
      { cause: error },
    );
  }
}

/** Writes the rows of a table to a file. Returns the number of rows. */
type Write = (path: string, table: ExportedTable, rows: Iterable<ExportedRow>) => number;

/** How many characters of text to gather before writing. */
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
      // Writes the whole chunk or throws: on a nearly full disk a plain write may be partial.
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
  // Sequence numbers and sizes may exceed 32 bits.
  integer: 'INT64',
  real: 'DOUBLE',
  time: 'TIMESTAMP',
} as const satisfies Record<ExportedKind, string>;

/** Rows per group of a Parquet file; a group is held in memory. */
const rowGroupSize = 10_000;

function valueOf(value: string | number | null, kind: ExportedKind) {
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

const writers: Readonly<Record<Format, Write>> = {
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
    // By default, the writer would create a file that everyone can read.
    closeSync(openSync(path, 'wx', 0o600));
    void parquetWriteRows({
      writer: fileWriter(path),
      columns: entries.map(([name, kind]) => ({ name, type: kinds[kind], nullable: true })),
      rows: counted(rows, entries, count),
      rowGroupSize,
      createdBy: 'swf-mcp',
    });
    return count.n;
  },
};
