import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { createQueries } from '../../db/queries.ts';
import { exportedRows, exportedTables } from '../../db/reports/export.ts';
import { openReader } from '../../db/sqlite/open-reader.ts';
import { preparer } from '../../db/sqlite/statements.ts';
import { messageOf, SwfError } from '../../lib/errors.ts';
import { isAlive } from '../../lib/process-identity.ts';
import { exitCodes, type Io, storePath } from '../io.ts';
import type { Format } from './format-names.ts';
import { writers } from './formats.ts';

export interface ExportArguments {
  executionId: string;
  /** A folder that is new or empty. */
  out: string;
  format: Format;
}

/**
 * `swf-mcp export`: everything that is recorded of an execution, a file a table, as of one moment. Returns the exit code. A folder in which
 * something is already is left alone.
 */
export function exportCommand(io: Io, { executionId, out, format }: ExportArguments): number {
  const folder = resolve(io.workingFolder, out);
  const db = openReader(storePath(io));
  const queries = createQueries(db, isAlive);
  try {
    const { execution_id } = queries.execution(executionId);
    makeNew(folder);
    queries.snapshot(() => {
      for (const table of exportedTables) {
        const name = `${table.name}.${format}`;
        const aside = join(folder, `${name}.part`);
        const rows = write(aside, () => writers[format](aside, table, exportedRows(preparer(db), table, execution_id)));
        renameSync(aside, join(folder, name));
        io.out(`${name.padEnd(18)} ${rows} rows\n`);
      }
    });
    io.out(`${execution_id} is in ${folder}\n`);
    return exitCodes.fine;
  } finally {
    db.close();
  }
}

/** Makes the folder, with mode 0700, or takes an empty one. */
function makeNew(folder: string): void {
  let names: string[];
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    names = readdirSync(folder);
  } catch (error) {
    throw new SwfError(
      'DATA_UNAVAILABLE',
      `the folder ${folder} cannot be made (${messageOf(error)}); give another one with --out`,
      {
        cause: error,
      },
    );
  }
  if (names.length > 0)
    throw new SwfError(
      'ARGUMENT_INVALID',
      `${folder} is not empty (${names[0]}); give a new folder with --out, so that nothing is overwritten`,
    );
}

/** Writes a file, of which nothing stays where the disk gives out. */
function write<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    rmSync(path, { force: true });
    if (error instanceof SwfError || !(error instanceof Error) || !('code' in error)) throw error;
    throw new SwfError(
      'DATA_UNAVAILABLE',
      `${path} cannot be written (${messageOf(error)}); make room, or give another folder with --out`,
      {
        cause: error,
      },
    );
  }
}
