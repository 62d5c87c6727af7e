import { readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { openReader } from '../../db/opening/open-reader.ts';
import { createQueries } from '../../db/queries.ts';
import { exportedRows, exportedTables } from '../../db/reports/export.ts';
import { preparer } from '../../db/sqlite/statements.ts';
import { argumentInvalid, dataUnavailable, messageOf, SwfError } from '../../lib/errors.ts';
import { makeFolder } from '../../lib/file-system.ts';
import { printable } from '../../lib/printable.ts';
import { isAlive } from '../../lib/process-identity.ts';
import { type Io, storePath } from '../shared/io.ts';
import type { Format } from './format-names.ts';
import { writers } from './formats.ts';

interface ExportArguments {
  executionId: string;
  /** A folder that is new or empty. */
  out: string;
  format: Format;
}

/**
 * `swf-mcp export`: writes everything recorded of an execution, one file per table, as of one moment. A folder that is not
 * empty is left alone.
 */
export function exportCommand(io: Io, { executionId, out, format }: ExportArguments): void {
  if (out === '') throw argumentInvalid('--out names no folder; give a new one');
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

/** Makes the folder with mode 0700, or accepts an empty one. */
function makeNew(folder: string): void {
  let names: string[];
  try {
    makeFolder(folder);
    names = readdirSync(folder);
  } catch (error) {
    throw dataUnavailable(`the folder ${folder} cannot be made (${messageOf(error)}); give another one with --out`, {
      cause: error,
    });
  }
  if (names.length > 0)
    throw argumentInvalid(
      `${folder} is not empty (${names[0]}); give a new folder with --out, so that nothing is overwritten`,
    );
}

/** Writes the last of some files. If it fails, removes them all, or somebody would take the export for whole. */
function write(paths: readonly string[], work: (path: string) => number): number {
  const path = paths.at(-1) ?? '';
  try {
    return work(path);
  } catch (error) {
    for (const one of paths) rmSync(one, { force: true });
    if (error instanceof SwfError || !(error instanceof Error) || !('code' in error)) throw error;
    throw dataUnavailable(
      `${path} cannot be written (${messageOf(error)}); nothing is left of the export: make room, or give another folder with --out`,
      { cause: error },
    );
  }
}
