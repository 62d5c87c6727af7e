import { storeUnavailable, SwfError } from '../../lib/errors.ts';
import type { Connection } from '../sqlite/connection.ts';
import { preparer } from '../sqlite/statements.ts';

/** Incremented with each change of the schema. */
export const schemaVersion = 42;

/** The oldest schema that `swf-mcp upgrade` reads. */
export const oldestReadable = 18;

/** Marks a SQLite file as a store of this program ("SWFm"). */
const applicationId = 0x53_57_46_6d;

const applicationIdOf = (db: Connection) => db.pragma('application_id', { simple: true }) as number;
/** Read in every transaction, so by a statement that is prepared once. */
export const versionOf = (db: Connection) => preparer(db)<number>('PRAGMA user_version').value() as number;

/** Throws `STORE_UNAVAILABLE` for a SQLite file of another program. */
export function requireOwnKind(db: Connection, path: string) {
  const tables = db.prepare<[], { n: number }>('SELECT count(*) AS n FROM sqlite_schema').get()?.n ?? 0;
  const id = applicationIdOf(db);
  if (id === applicationId || (id === 0 && tables === 0)) return;
  throw storeUnavailable(`${path} is a SQLite file of another program; name another file with --db`);
}

/**
 * Throws `STORE_TOO_NEW` or `STORE_TOO_OLD` if the store has another schema. A store without tables
 * passes.
 */
export function requireKnownVersion(db: Connection, path: string) {
  // Check first: another process may create the store meanwhile, and then it has a version.
  const isNew = isEmpty(db);
  const version = versionOf(db);
  if (version < schemaVersion && !isNew) throw tooOld(path, version);
  requireNotNewer(version, path);
}

/** Throws `STORE_TOO_NEW` if a newer program has created or upgraded the store. */
export function requireNotNewer(version: number, path: string) {
  if (version <= schemaVersion) return;
  throw new SwfError(
    'STORE_TOO_NEW',
    `the store ${path} has schema version ${version}, but this program knows only ${schemaVersion}; use a newer swf-mcp or another --db file`,
  );
}

function tooOld(path: string, version: number): SwfError {
  const what = `the store ${path} has schema version ${version}, but this program needs ${schemaVersion}`;
  const next =
    version < oldestReadable
      ? `"swf-mcp upgrade" reads ${oldestReadable} and later: use the swf-mcp that created it, or another --db file`
      : 'end the processes that use it, and run "swf-mcp upgrade"';
  return new SwfError('STORE_TOO_OLD', `${what}; ${next}`);
}

/** Throws `STORE_TOO_OLD` if the store is older than any that can be upgraded. */
export function requireReadable(version: number, path: string) {
  if (version < oldestReadable) throw tooOld(path, version);
}

/** Whether the file is a store that is still being created, or whose creation was interrupted. */
export const isEmpty = (db: Connection) => versionOf(db) === 0 && applicationIdOf(db) === 0;

/** Marks a new store as one of this program. Call it in the transaction that creates its tables. */
export function noteKind(db: Connection) {
  db.pragma(`user_version = ${schemaVersion}`);
  db.pragma(`application_id = ${applicationId}`);
}

/**
 * Throws `STORE_TOO_NEW` if another program has changed the schema since this process opened the store.
 * Part of each write.
 */
export function requireSameVersion(db: Connection, path: string) {
  const version = versionOf(db);
  if (version === schemaVersion) return;
  throw new SwfError(
    'STORE_TOO_NEW',
    `the store ${path} was upgraded to schema version ${version} by another swf-mcp while this one, which knows ${schemaVersion}, had it open; this one stops writing: use the other version`,
  );
}
