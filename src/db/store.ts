import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import Database from 'better-sqlite3';

import { messageOf, SwfError } from '../errors.ts';
import { type Migration, migrations as allMigrations } from './migrations.ts';

export type Connection = Database.Database;

/** Marks a SQLite file as a store of this program ("SWFm"). */
const applicationId = 0x53_57_46_6d;

/** How long one try waits for another writer inside SQLite, where nothing else of this process can go on. */
const busyMilliseconds = 20;

/** How long a write is tried again, from outside SQLite, before it is given up. */
const patienceMilliseconds = 30_000;

export interface Store {
  readonly path: string;
  readonly db: Connection;
  /**
   * Runs `work` as one immediate transaction and returns what it returns. While another process writes, it is tried again
   * with pauses in which this process goes on. Throws `STORE_UNAVAILABLE` when the store stays locked.
   */
  write<T>(work: () => T): Promise<T>;
  close(): void;
}

/** Opens a store for writing: makes it where there is none (mode 0600) and brings an older one up to date. */
export async function openStore(path: string, migrations: readonly Migration[] = allMigrations): Promise<Store> {
  const db = connect(path, () => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    closeSync(openSync(path, 'a', 0o600));
  });
  const store: Store = { path, db, write: (work) => writePatiently(db, path, work), close: () => db.close() };
  try {
    // Nothing is changed in a file that is not ours or that we do not understand.
    await patiently(path, () => checkKind(db, path));
    refuseNewer(versionOf(db), path, migrations);
    await patiently(path, () => db.pragma('journal_mode = WAL'));
    db.pragma('synchronous = NORMAL');
    if (versionOf(db) !== migrations.length || applicationIdOf(db) === 0)
      await store.write(() => migrate(db, path, migrations));
  } catch (error) {
    db.close();
    throw asSwfError(error, path);
  }
  return store;
}

/** Opens a store for reading only. Throws `STORE_UNAVAILABLE` where there is none, `STORE_TOO_OLD` if it must be migrated first. */
export function openReader(path: string, migrations: readonly Migration[] = allMigrations): Connection {
  const db = connect(path, () => {});
  try {
    db.pragma('query_only = ON');
    checkKind(db, path);
    const version = versionOf(db);
    refuseNewer(version, path, migrations);
    if (version < migrations.length) {
      throw new SwfError(
        'STORE_TOO_OLD',
        `the store ${path} has schema version ${version}, this program needs ${migrations.length}; ` +
          'any command that writes (such as "swf-mcp run") brings it up to date',
      );
    }
    return db;
  } catch (error) {
    db.close();
    throw asSwfError(error, path);
  }
}

/** Opens the file, or says why it cannot be a store before SQLite does so in its own words. */
function connect(path: string, prepare: () => void): Connection {
  try {
    prepare();
    if (!statSync(path).isFile())
      throw new SwfError('STORE_UNAVAILABLE', `${path} is not a file; name a store file with --db`);
    return new Database(path, { fileMustExist: true, timeout: busyMilliseconds });
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) {
      throw new SwfError('STORE_UNAVAILABLE', `there is no store at ${path} yet; "swf-mcp run" makes one`, {
        cause: error,
      });
    }
    throw asSwfError(error, path);
  }
}

function checkKind(db: Connection, path: string): void {
  const tables = db.prepare<[], { n: number }>('SELECT count(*) AS n FROM sqlite_schema').get()?.n ?? 0;
  const id = applicationIdOf(db);
  if (id === applicationId || (id === 0 && tables === 0)) return;
  throw new SwfError('STORE_UNAVAILABLE', `${path} is a SQLite file of another program; name another file with --db`);
}

const applicationIdOf = (db: Connection): number => db.pragma('application_id', { simple: true }) as number;
const versionOf = (db: Connection): number => db.pragma('user_version', { simple: true }) as number;

function refuseNewer(version: number, path: string, migrations: readonly Migration[]): void {
  if (version <= migrations.length) return;
  throw new SwfError(
    'STORE_TOO_NEW',
    `the store ${path} has schema version ${version}, this program knows ${migrations.length}; use a newer swf-mcp or another --db file`,
  );
}

/** Brings the schema up to date. Part of one transaction: a step that fails leaves the old version. */
function migrate(db: Connection, path: string, migrations: readonly Migration[]): void {
  const version = versionOf(db);
  refuseNewer(version, path, migrations);
  for (const { sql } of migrations.slice(version)) db.exec(sql);
  db.pragma(`user_version = ${migrations.length}`);
  db.pragma(`application_id = ${applicationId}`);
}

const isBusy = (error: unknown): boolean =>
  error instanceof Database.SqliteError && (error.code.startsWith('SQLITE_BUSY') || error.code === 'SQLITE_LOCKED');

async function patiently<T>(path: string, work: () => T): Promise<T> {
  const deadline = performance.now() + patienceMilliseconds;
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error)) throw asSwfError(error, path);
      if (performance.now() > deadline) {
        throw new SwfError(
          'STORE_UNAVAILABLE',
          `the store ${path} has been locked by another program for ${patienceMilliseconds / 1000} s; end that program and try again`,
          { cause: error },
        );
      }
    }
    // Several writers that wait must not all come back at once.
    await delay(2 + Math.random() * 10);
  }
}

function writePatiently<T>(db: Connection, path: string, work: () => T): Promise<T> {
  const transaction = db.transaction(work);
  return patiently(path, () => transaction.immediate());
}

const isSystemError = (error: unknown, code: string): boolean =>
  error instanceof Error && (error as NodeJS.ErrnoException).code === code;

/** What SQLite or the system says about a store, in this program's words; anything else stays what it is. */
export function asSwfError(error: unknown, path: string): unknown {
  if (error instanceof SwfError) return error;
  const code = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? '') : '';
  const known = storeErrors.find(([prefix]) => code.startsWith(prefix));
  if (known === undefined) return error;
  const [, swfCode, sentence] = known;
  return new SwfError(swfCode, `the store ${path} ${sentence} (${messageOf(error)})`, { cause: error });
}

const storeErrors: [prefix: string, code: ConstructorParameters<typeof SwfError>[0], sentence: string][] = [
  ['SQLITE_NOTADB', 'STORE_UNAVAILABLE', 'is not a store of swf-mcp; name another file with --db'],
  ['SQLITE_CORRUPT', 'STORE_CORRUPT', 'is damaged; restore it from a backup or name another file with --db'],
  [
    'SQLITE_READONLY',
    'STORE_READ_ONLY',
    'cannot be written; make the file and its folder writable or name another file with --db',
  ],
  ['SQLITE_FULL', 'STORE_UNAVAILABLE', 'has no room on its disk; make room and resume'],
  ['SQLITE_BUSY', 'STORE_UNAVAILABLE', 'is locked by another program; try again'],
  ['SQLITE_CANTOPEN', 'STORE_UNAVAILABLE', 'cannot be opened; check the rights on the file and its folder'],
  ['SQLITE_IOERR', 'STORE_UNAVAILABLE', 'cannot be read or written; check its disk'],
  ['EACCES', 'STORE_UNAVAILABLE', 'may not be opened; check the rights on the file and its folder'],
  ['EPERM', 'STORE_UNAVAILABLE', 'may not be opened; check the rights on the file and its folder'],
  ['EROFS', 'STORE_READ_ONLY', 'is on a read-only file system; name another file with --db'],
  ['ENOTDIR', 'STORE_UNAVAILABLE', 'has a file where a folder should be in its path; name another file with --db'],
  ['EISDIR', 'STORE_UNAVAILABLE', 'is a folder; name a store file with --db'],
  ['EEXIST', 'STORE_UNAVAILABLE', 'has a file where a folder should be in its path; name another file with --db'],
];
