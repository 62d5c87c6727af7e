import { storeUnavailable, SwfError } from '../../lib/errors.ts';
import { isAlive } from '../../lib/process-identity.ts';
import { schema, schemaVersion } from '../migrations/schema.ts';
import { isProcessAlive, isRemote, type ProcessSigns, signColumns } from '../presence/leases.ts';
import type { Connection } from '../sqlite/connection.ts';

/** A step that changes the schema of a released version. */
export interface Migration {
  name: string;
  sql: string;
}

/** The schema as a base and the steps since. Each step raises the version by one. */
export interface SchemaHistory {
  /** The `user_version` of a store that the base makes. */
  baseVersion: number;
  base: string;
  steps: readonly Migration[];
}

/**
 * The store's schema. Until the first release `schema.ts` is edited in place, and each change raises its version; stores of another version
 * are refused. From then on `schema.ts` stays as it is, and a change is a step here.
 */
export const schemaHistory: SchemaHistory = { baseVersion: schemaVersion, base: schema, steps: [] };

/** Marks a SQLite file as a store of this program ("SWFm"). */
const applicationId = 0x53_57_46_6d;

export const applicationIdOf = (db: Connection): number => db.pragma('application_id', { simple: true }) as number;
export const versionOf = (db: Connection): number => db.pragma('user_version', { simple: true }) as number;

export const newestVersion = ({ baseVersion, steps }: SchemaHistory): number => baseVersion + steps.length;

/** Throws `STORE_UNAVAILABLE` for a SQLite file of another program. */
export function requireOwnKind(db: Connection, path: string) {
  const tables = db.prepare<[], { n: number }>('SELECT count(*) AS n FROM sqlite_schema').get()?.n ?? 0;
  const id = applicationIdOf(db);
  if (id === applicationId || (id === 0 && tables === 0)) return;
  throw storeUnavailable(`${path} is a SQLite file of another program; name another file with --db`);
}

/** Throws `STORE_TOO_NEW`, or `STORE_TOO_OLD` if no step migrates the store. A store without tables passes. */
export function requireKnownVersion(db: Connection, path: string, history: SchemaHistory) {
  // Check first: another process may make the store meanwhile, and then it has its version.
  const isNew = isEmpty(db);
  const version = versionOf(db);
  const newest = newestVersion(history);
  if (version > newest)
    throw new SwfError(
      'STORE_TOO_NEW',
      `the store ${path} has schema version ${version}, this program knows ${newest}; use a newer swf-mcp or another --db file`,
    );
  if (version < history.baseVersion && !isNew)
    throw new SwfError(
      'STORE_TOO_OLD',
      `the store ${path} has schema version ${version}, and this program knows none before ${history.baseVersion}; use the swf-mcp that created it, or another --db file`,
    );
}

/** Whether the file is a store still being made, or whose maker ended before it was done. */
export const isEmpty = (db: Connection): boolean => versionOf(db) === 0 && applicationIdOf(db) === 0;

/** Brings the schema up to date. Part of one transaction: a step that fails leaves the old version. */
export function migrate(db: Connection, path: string, history: SchemaHistory) {
  requireKnownVersion(db, path, history);
  // Another process has migrated it meanwhile, and may be at work.
  if (versionOf(db) === newestVersion(history)) return;
  if (isEmpty(db)) {
    db.exec(history.base);
    db.pragma(`user_version = ${history.baseVersion}`);
    db.pragma(`application_id = ${applicationId}`);
  } else requireNoOlderWriter(db, path);
  for (const { sql } of history.steps.slice(versionOf(db) - history.baseVersion)) db.exec(sql);
  db.pragma(`user_version = ${newestVersion(history)}`);
}

/**
 * Throws `STORE_IN_USE` while a process is alive that writes the store in its older version: a schema change would end that process. Part of the
 * transaction that migrates the store.
 */
function requireNoOlderWriter(db: Connection, path: string) {
  const hasProcesses = db.prepare(`SELECT 1 FROM pragma_table_info('processes') WHERE name = 'version'`).get();
  if (hasProcesses === undefined) return;
  const living = db
    .prepare<[], ProcessSigns & { version: string }>(
      `SELECT ${signColumns}, version FROM processes WHERE ended IS NULL`,
    )
    .all()
    .find((row) => !isRemote(row) && isProcessAlive(row, isAlive));
  if (living === undefined) return;
  throw new SwfError(
    'STORE_IN_USE',
    `the store ${path} has an older schema and is written by process ${living.pid} on ${living.hostname} (swf-mcp ${living.version}); it can be migrated once that process has ended: wait for it, or end it`,
  );
}

/** Throws `STORE_TOO_NEW` if a newer program has changed the schema since this process opened the store. Part of each write. */
export function requireSameVersion(db: Connection, path: string, opened: number) {
  const version = versionOf(db);
  if (version === opened) return;
  throw new SwfError(
    'STORE_TOO_NEW',
    `the store ${path} was migrated to schema version ${version} by another swf-mcp while this one, which knows ${opened}, had it open; this one writes nothing more: use that version`,
  );
}
