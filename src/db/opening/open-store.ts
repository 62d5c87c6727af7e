import { closeSync, openSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { NoStoreYet } from '../../lib/errors.ts';
import { makeFolder } from '../../lib/file-system.ts';
import { nameNumbers } from '../log/name-numbers.ts';
import { homeOf, storeId } from '../log/store-identity.ts';
import { schemaHistory } from '../migrations/index.ts';
import type { SchemaHistory } from '../migrations/migration.ts';
import { rowBlockNoter } from '../notes/row-blocks.ts';
import { MessageWriter } from '../recording/message-writer.ts';
import { createCheckpointer } from '../sqlite/checkpointer.ts';
import { connect } from '../sqlite/connect.ts';
import type { Connection } from '../sqlite/connection.ts';
import { createGroupCommit } from '../sqlite/group-commit.ts';
import { letOthersWrite } from '../sqlite/other-writers.ts';
import { impatientMilliseconds, isBusy, patienceMilliseconds, tryPatiently } from '../sqlite/retry.ts';
import { asSwfError } from '../sqlite/sqlite-errors.ts';
import { type Prepare, preparer } from '../sqlite/statements.ts';
import { fileAt, logOf, requireNoOrphanLog, requireSameFiles, requireWritable, sizeOf } from '../sqlite/store-file.ts';
import type { Synchronous } from '../sqlite/synchronous.ts';
import { type Transaction, transactOn } from '../sqlite/transaction.ts';
import {
  applicationIdOf,
  migrate,
  newestVersion,
  requireKnownVersion,
  requireOwnKind,
  requireSameVersion,
  versionOf,
} from './schema-version.ts';
import type { Store } from './store.ts';

export interface StoreOptions {
  history?: SchemaHistory;
  synchronous?: Synchronous;
  /** After this many commits this process leaves the lock to other writers, if any, for a moment. */
  commitsApart?: number;
}

/** A pause after each commit would slow a run at full speed by a tenth. */
const usualCommitsApart = 8;

/** Opens a store for writing. Creates a missing one (mode 0600) and migrates an older one. Throws `STORE_…` if the file cannot be used. */
export async function openStore(named: string, options: StoreOptions = {}): Promise<Store> {
  // SQLite puts its files beside the target of a link.
  const path = fileAt(named) === undefined ? named : realpathSync(named);
  const { history = schemaHistory, synchronous = 'NORMAL', commitsApart = usualCommitsApart } = options;
  const db = connect(path, () => {
    requireWritable(path);
    if (fileAt(path) !== undefined) return;
    makeFolder(dirname(path));
    closeSync(openSync(path, 'a', 0o600));
  });
  // A history given by a test has none of our tables.
  const store = new SqliteStore(path, db, history === schemaHistory);
  try {
    await store.prepare({ history, synchronous, commitsApart });
  } catch (error) {
    db.close();
    throw asSwfError(error, path);
  }
  return store;
}

/** Opens a store that must exist: a mistyped name must not create a new one. Throws `NoStoreYet` if the store does not exist. */
export async function openExistingStore(path: string, options: StoreOptions = {}): Promise<Store> {
  requireNoOrphanLog(path);
  if (sizeOf(path) === 0) throw new NoStoreYet(path);
  return openStore(path, options);
}

class SqliteStore implements Store {
  readonly path: string;
  readonly db: Connection;
  readonly sql: Prepare;
  readonly messages: MessageWriter;
  readonly #file: string | undefined;
  readonly #blocks: ReturnType<typeof rowBlockNoter> | undefined;
  readonly write = createGroupCommit((work) => this.#writePatiently(work));
  readonly #transaction: { immediate(work: (tx: Transaction) => void): void };
  readonly #notes: { immediate(): void };
  #areNotesDue = false;
  /** An error after the last commit, which the next write throws. */
  #fault: unknown;
  #checkpointer: ReturnType<typeof createCheckpointer> | undefined;
  #letOthersWrite: ReturnType<typeof letOthersWrite> | undefined;
  #patience = patienceMilliseconds;
  /** The schema version and the files that each write checks, once the store is prepared. */
  #opened: { version: number; file: string | undefined; log: string | undefined } | undefined;

  constructor(path: string, db: Connection, hasOurTables: boolean) {
    this.path = path;
    this.db = db;
    this.sql = preparer(db);
    this.messages = new MessageWriter(this.sql);
    this.#file = fileAt(path);
    this.#blocks = hasOurTables ? rowBlockNoter(this.sql) : undefined;
    this.#transaction = db.transaction((work: (tx: Transaction) => void) => {
      if (this.#opened !== undefined) requireSameVersion(db, path, this.#opened.version);
      transactOn(this.sql, work);
      this.#areNotesDue = this.#opened !== undefined && this.#blocks?.isDue() === true;
    });
    this.#notes = db.transaction(() => this.#blocks?.note());
  }

  /** Changes nothing in a file that is not ours or that this program does not understand. */
  async prepare({ history, synchronous, commitsApart }: Required<StoreOptions>): Promise<void> {
    const { db, path } = this;
    await tryPatiently(path, () => requireOwnKind(db, path));
    requireKnownVersion(db, path, history);
    await tryPatiently(path, () => db.pragma('journal_mode = WAL'));
    db.pragma(`synchronous = ${synchronous}`);
    this.#checkpointer = createCheckpointer(path, db);
    this.#letOthersWrite = letOthersWrite(db, commitsApart);
    if (versionOf(db) !== newestVersion(history) || applicationIdOf(db) === 0)
      await this.write(() => migrate(db, path, history));
    if (this.#blocks !== undefined) await this.#noteHome();
    this.#opened = { version: newestVersion(history), file: this.#file, log: fileAt(logOf(path)) };
  }

  writeAtOnce(work: (tx: Transaction) => void): void {
    if (this.#opened !== undefined) requireSameFiles(this.path, this.#opened, this.db);
    try {
      this.#transaction.immediate(work);
    } catch (error) {
      nameNumbers(this.sql).forget();
      throw error;
    }
  }

  hurry(): void {
    this.#patience = impatientMilliseconds;
  }

  close(): void {
    this.#checkpointer?.close();
    this.db.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #writePatiently(work: (tx: Transaction) => void): Promise<void> {
    try {
      await tryPatiently(
        this.path,
        () => {
          // Thrown once. The last messages of a process are written in spite of it.
          const fault = this.#fault;
          this.#fault = undefined;
          if (fault !== undefined) throw fault;
          this.writeAtOnce(work);
        },
        this.#patience,
      );
    } catch (error) {
      // After a write that waited in vain, the next does not wait as long.
      if (isBusy(error)) this.#patience = impatientMilliseconds;
      throw error;
    }
    await this.#afterCommit();
  }

  /** Never fails a committed write, which would be made a second time. */
  async #afterCommit(): Promise<void> {
    try {
      this.#checkpointer?.afterCommit();
      if (this.#areNotesDue) await this.#noteBlocks();
      if (this.db.open) await this.#letOthersWrite?.();
    } catch (error) {
      if (!isBusy(error)) this.#fault = error;
    }
  }

  /** Others may write first. The next write notes rows whose notes failed, or whose process ended before them. */
  async #noteBlocks(): Promise<void> {
    await nextTurn();
    if (!this.db.open) return;
    try {
      this.#notes.immediate();
    } catch (error) {
      this.#blocks?.forget();
      throw error;
    }
  }

  /** Notes the store's path once, and gives it its id: a copy at another path must not remove its data files. */
  async #noteHome(): Promise<void> {
    if (homeOf(this.sql) !== undefined) return;
    const home = realpathSync(this.path);
    await this.write((transaction) => {
      transaction.sql(`INSERT INTO store_meta (key, value) VALUES ('home', ?) ON CONFLICT DO NOTHING`).run(home);
      storeId(transaction);
    });
  }
}
