import { closeSync, openSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import Database from 'better-sqlite3';

import { makeFolder } from '../../files/make-folder.ts';
import { networkFileSystemOf } from '../../files/network-file-system.ts';
import { SwfError } from '../../lib/errors.ts';
import { createBlockNoter } from '../lists/row-blocks.ts';
import { migrations as allMigrations } from '../migrations/index.ts';
import type { Migration } from '../migrations/migration.ts';
import { createGroupCommit } from './group-commit.ts';
import { asSwfError } from './sqlite-errors.ts';
import { preparer } from './statements.ts';
import { fileAt, readIntoMemory, requireLocal, requireNoOrphanLog, requireSameFile } from './store-file.ts';
import type { Synchronous } from './synchronous.ts';
import { beginTransaction } from './transaction.ts';

export type Connection = Database.Database;

/** Marks a SQLite file as a store of this program ("SWFm"). */
const applicationId = 0x53_57_46_6d;

/** WAL pages (of 4 kB) before SQLite moves them into the store: more at a time make the process stand still longer, and hardly faster. */
const checkpointPages = 3000;

/** How long one try waits for another writer inside SQLite, where nothing else of this process can go on. */
const busyMilliseconds = 20;

/** How long a write is tried again, from outside SQLite, before it is given up. */
const patienceMilliseconds = 30_000;

/** The same for who is in a hurry, or has waited in vain already. */
const impatientMilliseconds = 2000;

export interface Store {
  readonly path: string;
  readonly db: Connection;
  /**
   * Runs `work` as one immediate transaction and returns what it returns, when it is committed. Writes of the same moment share
   * a commit; one that throws does not touch the others. While another process writes, it is tried again, with pauses in which this
   * process goes on, so `work` must not mind being called again. Throws `STORE_UNAVAILABLE` when the store stays locked, and
   * where another file has taken its place.
   */
  write<T>(work: () => T): Promise<T>;
  /** From now on a write is given up sooner: somebody waits for the end. */
  hurry(): void;
  close(): void;
}

/** Opens a store for writing: makes it where there is none (mode 0600) and brings an older one up to date. */
export async function openStore(
  path: string,
  {
    migrations = allMigrations,
    synchronous = 'NORMAL',
  }: { migrations?: readonly Migration[]; synchronous?: Synchronous } = {},
): Promise<Store> {
  const db = connect(path, () => {
    // One that is there may be one that we may only read, which is told when we write.
    if (fileAt(path) !== undefined) return;
    makeFolder(dirname(path));
    closeSync(openSync(path, 'a', 0o600));
  });
  const file = fileAt(path);
  // Only of a schema that has blocks.
  const blocks = migrations === allMigrations ? createBlockNoter(preparer(db)) : undefined;
  let isMade = false;
  const transaction = db.transaction((work: () => void) => {
    beginTransaction(db);
    work();
    if (isMade) blocks?.note();
  });
  let patience = patienceMilliseconds;
  const writeOnce = (work: () => void): void => {
    if (isMade) requireSameFile(path, file);
    try {
      transaction.immediate(work);
    } catch (error) {
      blocks?.forget();
      throw error;
    }
  };
  const writePatiently = async (work: () => void): Promise<void> => {
    try {
      await patiently(path, () => writeOnce(work), patience);
    } catch (error) {
      // Who has waited in vain does not wait as long once more.
      if (isBusy(error)) patience = impatientMilliseconds;
      throw error;
    }
  };
  const store: Store = {
    path,
    db,
    write: createGroupCommit(writePatiently),
    hurry() {
      patience = impatientMilliseconds;
    },
    close: () => db.close(),
  };
  try {
    // Nothing is changed in a file that is not ours or that we do not understand.
    await patiently(path, () => checkKind(db, path));
    refuseNewer(versionOf(db), path, migrations);
    await patiently(path, () => db.pragma('journal_mode = WAL'));
    db.pragma(`synchronous = ${synchronous}`);
    db.pragma(`wal_autocheckpoint = ${checkpointPages}`);
    if (versionOf(db) !== migrations.length || applicationIdOf(db) === 0)
      await store.write(() => migrate(db, path, migrations));
    if (migrations === allMigrations) await settle(store);
    isMade = true;
  } catch (error) {
    db.close();
    throw asSwfError(error, path);
  }
  return store;
}

/** Opens a store that must be there: a mistyped name must not leave a new one behind. Throws `STORE_UNAVAILABLE` where there is none. */
export async function openExistingStore(path: string, options: { synchronous?: Synchronous } = {}): Promise<Store> {
  const { size } = statSync(path, { throwIfNoEntry: false }) ?? {};
  if (size === undefined || size === 0) throw noStoreYet(path);
  return openStore(path, options);
}

/** Opens a store for reading only. Throws `STORE_UNAVAILABLE` where there is none, `STORE_TOO_OLD` if it must be migrated first. */
export function openReader(path: string, migrations: readonly Migration[] = allMigrations): Connection {
  let db: Connection | undefined;
  try {
    db = connectToRead(path);
    const version = versionOf(db);
    refuseNewer(version, path, migrations);
    // An empty file is a store that is being made at this moment, or whose maker was ended before it was.
    if (version === 0 && applicationIdOf(db) === 0) throw noStoreYet(path);
    if (version < migrations.length) {
      throw new SwfError(
        'STORE_TOO_OLD',
        `the store ${path} has schema version ${version}, this program needs ${migrations.length}; ` +
          'any command that writes brings it up to date in about twelve seconds for each million messages, such as "swf-mcp run", or "swf-mcp resume" with an execution that has ended',
      );
    }
    return db;
  } catch (error) {
    db?.close();
    throw asSwfError(error, path);
  }
}

/** A connection that only reads, to the file or, where SQLite would have to write beside it and may not, to a copy in memory. */
function connectToRead(path: string): Connection {
  if (fileAt(path) !== undefined && networkFileSystemOf(path) !== undefined) {
    const copy = readIntoMemory(path);
    if (copy !== undefined) return checkedCopy(copy, path);
  }
  const db = connect(path);
  try {
    db.pragma('query_only = ON');
    checkKind(db, path);
    return db;
  } catch (error) {
    db.close();
    const copy = cannotWriteBeside(error) ? readIntoMemory(path) : undefined;
    if (copy === undefined) throw error;
    return checkedCopy(copy, path);
  }
}

function checkedCopy(copy: Connection, path: string): Connection {
  copy.pragma('query_only = ON');
  checkKind(copy, path);
  return copy;
}

function cannotWriteBeside(error: unknown): boolean {
  return (
    error instanceof Database.SqliteError &&
    (error.code.startsWith('SQLITE_READONLY') || error.code.startsWith('SQLITE_CANTOPEN'))
  );
}

/** Opens the file, or says why it cannot be a store before SQLite does so in its own words. */
function connect(path: string, make?: () => void): Connection {
  try {
    requireLocal(path);
    requireNoOrphanLog(path);
    make?.();
    if (!statSync(path).isFile()) {
      throw new SwfError('STORE_UNAVAILABLE', `${path} is not a file; name a store file with --db`);
    }
    return new Database(path, { fileMustExist: true, timeout: busyMilliseconds });
  } catch (error) {
    if (make === undefined && isSystemError(error, 'ENOENT')) {
      throw noStoreYet(path, error);
    }
    throw asSwfError(error, path);
  }
}

const noStoreYet = (path: string, cause?: unknown): SwfError =>
  new SwfError('STORE_UNAVAILABLE', `there is no store at ${path} yet; "swf-mcp run" makes one`, { cause });

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

/** Notes where the store stands, once: a copy that stands elsewhere must not remove its data files. */
async function settle(store: Store): Promise<void> {
  const { db, path } = store;
  if (db.prepare(`SELECT 1 FROM store_meta WHERE key = 'home'`).get() !== undefined) return;
  await store.write(() => {
    db.prepare(`INSERT INTO store_meta (key, value) VALUES ('home', ?) ON CONFLICT DO NOTHING`).run(realpathSync(path));
  });
}

/** Also where the message has been put into our own words already. */
function isBusy(error: unknown): boolean {
  const raw = error instanceof SwfError ? error.cause : error;
  return raw instanceof Database.SqliteError && (raw.code.startsWith('SQLITE_BUSY') || raw.code === 'SQLITE_LOCKED');
}

async function patiently<T>(path: string, work: () => T, patience = patienceMilliseconds): Promise<T> {
  const deadline = performance.now() + patience;
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error)) throw asSwfError(error, path);
      if (performance.now() > deadline) {
        throw new SwfError(
          'STORE_UNAVAILABLE',
          `the store ${path} has been locked by another program for ${patience / 1000} s; end that program and try again`,
          { cause: error },
        );
      }
    }
    // Several writers that wait must not all come back at once.
    await delay(2 + Math.random() * 10);
  }
}

const isSystemError = (error: unknown, code: string): boolean =>
  error instanceof Error && (error as NodeJS.ErrnoException).code === code;
