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
  /** After this many commits this process briefly leaves the lock to other writers, if there are any. */
  commitsApart?: number;
}

/** A pause after each commit would slow a run at full speed by a tenth. */
const usualCommitsApart = 8;

/**
 * Opens a store for writing. Creates a missing one (mode 0600). Throws `STORE_…` if the file cannot be
 * used.
 */
export async function openStore(named: string, options: StoreOptions = {}): Promise<Store> {
  // SQLite puts its files beside the target of a link.
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
 * Opens a store that must exist: a mistyped name must not create a new one. Throws `NoStoreYet` if the
 * store does not exist.
 */
export async function openExistingStore(path: string, options: StoreOptions = {}): Promise<Store> {
  requireNoOrphanLog(path);
  if (sizeOf(path) === 0) throw new NoStoreYet(path);
  return openStore(path, options);
}

/** Changes nothing in a file that is not ours or that this program does not understand. */
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
  /** An error after the last commit, which the next write throws. */
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

  /** Never fails a committed write, which would then be repeated. */
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
      // Thrown once. The last messages of a process are written despite it.
      const before = fault;
      fault = undefined;
      if (before !== undefined) throw before;
      writeAtOnce(work);
    };
    try {
      await tryPatiently(path, tryOnce, patience);
    } catch (error) {
      // After a write that waited without success, the next one does not wait as long.
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
 * The transactions of a store, and the notes about blocks of rows, which come after the commit that filled
 * a block.
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
    transact: (work: (tx: Transaction) => void): void => transaction.immediate(work),
    /**
     * Others may write first. The next write notes rows whose notes failed, or whose process ended before
     * them.
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
 * Records the store's path once, and assigns its id: a copy at another path must not remove its data files.
 */
async function noteHome(store: Store) {
  if (homeOf(store.sql) !== undefined) return;
  const home = realpathSync(store.path);
  await store.write((tx) => {
    tx.sql(`INSERT INTO store_meta (key, value) VALUES ('home', ?) ON CONFLICT DO NOTHING`).run(home);
    storeId(tx);
  });
}
