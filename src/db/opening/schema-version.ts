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
/** Every transaction reads the version, so the statement for this is prepared only once. */
export const versionOf = (db: Connection) => preparer(db)<number>('PRAGMA user_version').value() as number;

/** Throws `STORE_UNAVAILABLE` for a SQLite file that belongs to another program. */
export function requireOwnKind(db: Connection, path: string) {
  const tables = db.prepare<[], { n: number }>('SELECT count(*) AS n FROM sqlite_schema').get()?.n ?? 0;
  const id = applicationIdOf(db);
  if (id === applicationId || (id === 0 && tables === 0)) return;
  throw storeUnavailable(`${path} is a SQLite file that belongs to another program; name another file with --db`);
}

/**
 * Throws `STORE_TOO_NEW` or `STORE_TOO_OLD` if the store has another schema. A store without tables
 * passes.
 */
export function requireKnownVersion(db: Connection, path: string) {
  // Check this first; otherwise, a store that another process creates between the two checks would look too
  // old.
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

function tooOld(path: string, version: number) {
  const what = `the store ${path} has schema version ${version}, but this program needs ${schemaVersion}`;
  const next =
    version < oldestReadable
      ? `"swf-mcp upgrade" can upgrade schema version ${oldestReadable} and later: use the swf-mcp version that created the store, or another --db file`
      : 'end the processes that use it, and run "swf-mcp upgrade"';
  return new SwfError('STORE_TOO_OLD', `${what}; ${next}`);
}

/** Throws `STORE_TOO_OLD` if the store is older than any store that can be upgraded. */
export function requireReadable(version: number, path: string) {
  if (version < oldestReadable) throw tooOld(path, version);
}

/** Whether the file is a store that is still being created, or whose creation was interrupted. */
export const isEmpty = (db: Connection) => versionOf(db) === 0 && applicationIdOf(db) === 0;

/** Marks a new store as belonging to this program. Call it in the transaction that creates its tables. */
export function noteKind(db: Connection) {
  db.pragma(`user_version = ${schemaVersion}`);
  db.pragma(`application_id = ${applicationId}`);
}

/**
 * Throws `STORE_TOO_NEW` if another program has changed the schema since this process opened the store. Called
 * on each write.
 */
export function requireSameVersion(db: Connection, path: string) {
  const version = versionOf(db);
  if (version === schemaVersion) return;
  throw new SwfError(
    'STORE_TOO_NEW',
    `the store ${path} was upgraded to schema version ${version} by another swf-mcp while this process, which knows version ${schemaVersion}, had it open; this process has stopped writing: use the newer version`,
  );
}
