import { SwfError } from '../../lib/errors.ts';
import { isAlive } from '../../lib/process-identity.ts';
import { isProcessAlive, isRemote, type ProcessSigns, signColumns } from '../presence/leases.ts';
import type { Connection } from '../sqlite/connection.ts';

interface Writer extends ProcessSigns {
  version: string;
}

/**
 * Throws `STORE_IN_USE` while a process is alive that writes the store in its older version: a schema change would end that process. Part of the
 * transaction that migrates the store.
 */
export function requireNoOlderWriter(db: Connection, path: string): void {
  const hasProcesses = db.prepare(`SELECT 1 FROM pragma_table_info('processes') WHERE name = 'version'`).get();
  if (hasProcesses === undefined) return;
  const living = db
    .prepare<[], Writer>(`SELECT ${signColumns}, version FROM processes WHERE ended IS NULL`)
    .all()
    .find((row) => !isRemote(row) && isProcessAlive(row, isAlive));
  if (living === undefined) return;
  throw new SwfError(
    'STORE_IN_USE',
    `the store ${path} has an older schema and is written by process ${living.pid} on ${living.hostname} (swf-mcp ${living.version}); it can be migrated once that process has ended: wait for it, or end it`,
  );
}
