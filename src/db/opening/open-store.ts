import { closeSync, openSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { NoStoreYet } from '../../lib/errors.ts';
import { makeFolder } from '../../lib/file-system.ts';
import { nameNumbers } from '../log/numbers.ts';
import { homeOf, storeId } from '../log/store-identity.ts';
import { rowBlockNoter } from '../notes/row-blocks.ts';
import { createMessageWriter } from '../recording/message-writer.ts';
import { createCheckpointer } from '../sqlite/checkpointer.ts';
import type { Connection } from '../sqlite/connection.ts';
import {
  createGroupCommit,
  impatientMilliseconds,
  isBusy,
  letOthersWrite,
  patienceMilliseconds,
  tryPatiently,
} from '../sqlite/other-writers.ts';
import { asSwfError } from '../sqlite/sqlite-errors.ts';
import { preparer } from '../sqlite/statements.ts';
import {
  connect,
  fileAt,
  logOf,
  requireNoOrphanLog,
  requireSameFiles,
  requireWritable,
  sizeOf,
} from '../sqlite/store-file.ts';
import { type Transaction, transactOn } from '../sqlite/transaction.ts';
import { isEmpty, requireKnownVersion, requireOwnKind, requireSameVersion } from './schema-version.ts';
import type { Store } from './store.ts';

interface StoreOptions {
  /** `FULL` waits for the disk at every commit. */
  synchronous?: 'NORMAL' | 'FULL';
  /** After this number of commits, this process briefly leaves the lock to other writers, if there are any. */
  commitsApart?: number;
}

/** A pause after each commit would slow down a run at full speed by a tenth. */
const usualCommitsApart = 8;

/**
 * Opens a store for writing. Creates a missing one (mode 0600). Throws a `STORE_…` error if the file cannot
 * be used.
 */
export async function openStore(named: string, options: StoreOptions = {}): Promise<Store> {
  // SQLite puts its files next to the file that a link points to.
  const path = fileAt(named) === undefined ? named : realpathSync(named);
  const { synchronous = 'NORMAL', commitsApart = usualCommitsApart } = options;
  const db = connect(path, () => {
    requireWritable(path);
    if (fileAt(path) !== undefined) return;
    makeFolder(dirname(path));
    closeSync(openSync(path, 'a', 0o600));
  });
  const file = fileAt(path);
  try {
    await prepare(path, db, synchronous);
    const store = createStore(path, db, { commitsApart, file, log: fileAt(logOf(path)) });
    await noteHome(store);
    return store;
  } catch (error) {
    db.close();
    throw asSwfError(error, path);
  }
}

/**
 * Opens a store that must exist, since a mistyped name must not create a new one. Throws `NoStoreYet` if the
 * store does not exist.
 */
export async function openExistingStore(path: string, options: StoreOptions = {}): Promise<Store> {
  requireNoOrphanLog(path);
  if (sizeOf(path) === 0) throw new NoStoreYet(path);
  return openStore(path, options);
}

/** Prepares a store for writing. Does not change a file that is not a store or has an unknown schema. */
async function prepare(path: string, db: Connection, synchronous: string) {
  await tryPatiently(path, () => requireOwnKind(db, path));
  requireKnownVersion(db, path);
  await tryPatiently(path, () => db.pragma('journal_mode = WAL'));
  db.pragma(`synchronous = ${synchronous}`);
  if (isEmpty(db)) {
    // Most processes open a store that already has its tables.
    const { createTables } = await import('./create-tables.ts');
    const create = db.transaction(() => createTables(db));
    await tryPatiently(path, () => create.immediate());
  }
  requireKnownVersion(db, path);
}

type Opened = Required<Pick<StoreOptions, 'commitsApart'>> & Parameters<typeof requireSameFiles>[1];

function createStore(path: string, db: Connection, opened: Opened): Store {
  const sql = preparer(db);
  const checkpointer = createCheckpointer(path, db);
  const letOthers = letOthersWrite(db, opened.commitsApart);
  const { transact, writeNotes } = createTransactions(path, db);
  let patience = patienceMilliseconds;
  /** An error that occurred after the last commit; the next write throws it. */
  let fault: unknown;

  function writeAtOnce(work: (tx: Transaction) => void) {
    requireSameFiles(path, opened, db);
    try {
      transact(work);
    } catch (error) {
      nameNumbers(sql).forget();
      throw error;
    }
  }

  /** Never throws: the write has been committed, and an error would make the write run again. */
  async function afterCommit() {
    try {
      checkpointer.afterCommit();
      await writeNotes();
      if (db.open) await letOthers();
    } catch (error) {
      if (!isBusy(error)) fault = error;
    }
  }

  const write = createGroupCommit(async (work) => {
    const tryOnce = () => {
      // Throw the fault only once, so that the process can still write its last messages.
      const before = fault;
      fault = undefined;
      if (before !== undefined) throw before;
      writeAtOnce(work);
    };
    try {
      await tryPatiently(path, tryOnce, patience);
    } catch (error) {
      // After a write has waited in vain, the next one waits for a shorter time.
      if (isBusy(error)) patience = impatientMilliseconds;
      throw error;
    }
    await afterCommit();
  });

  const close = () => {
    checkpointer.close();
    db.close();
  };
  const hurry = (): void => void (patience = impatientMilliseconds);
  const messages = createMessageWriter(sql);
  return { path, db, sql, messages, write, writeAtOnce, hurry, close, [Symbol.dispose]: close };
}

/**
 * The transactions of a store. Notes about a block of rows are written after the commit that filled the
 * block.
 */
function createTransactions(path: string, db: Connection) {
  const sql = preparer(db);
  const blocks = rowBlockNoter(sql);
  const note = db.transaction(() => blocks.note());
  let areNotesDue = false;
  const transaction = db.transaction((work: (tx: Transaction) => void) => {
    requireSameVersion(db, path);
    transactOn(sql, work);
    areNotesDue = blocks.isDue();
  });
  return {
    transact: (work: (tx: Transaction) => void) => transaction.immediate(work),
    /**
     * Other processes may write before the notes are written. If writing the notes about some rows failed, or
     * the process that wrote the rows ended first, the next write of notes includes these rows.
     */
    writeNotes: async () => {
      if (!areNotesDue) return;
      await nextTurn();
      if (!db.open) return;
      try {
        note.immediate();
      } catch (error) {
        blocks.forget();
        throw error;
      }
    },
  };
}

/**
 * Records the store's path once, and assigns its id. A copy at another path must not remove the data files of
 * the original.
 */
async function noteHome(store: Store) {
  if (homeOf(store.sql) !== undefined) return;
  const home = realpathSync(store.path);
  await store.write((tx) => {
    tx.sql(`INSERT INTO store_meta (key, value) VALUES ('home', ?) ON CONFLICT DO NOTHING`).run(home);
    storeId(tx);
  });
}
