import { upgradeStore } from '../../db/maintenance/upgrade.ts';
import { schemaVersion } from '../../db/opening/schema-version.ts';
import { type Io, storePath } from '../shared/io.ts';
import { printLines } from '../shared/print-lines.ts';

/**
 * `swf-mcp upgrade`: upgrades an older store to the schema of this version. No other command changes the
 * schema of a store.
 */
export async function upgradeCommand(io: Io) {
  const path = storePath(io);
  const done = await upgradeStore(path, io.err);
  if (done === undefined) return printLines(io, [`${path} has schema version ${schemaVersion}; nothing to do`]);
  printLines(io, [
    `${path}: upgraded from schema version ${done.from} to ${schemaVersion}; the older store is kept as ${done.kept}`,
    ...done.changes,
  ]);
}
