import { SwfError } from '../../lib/errors.ts';
import { historyOf, replay } from '../maintenance/replay.ts';
import { schema, schemaVersion } from '../migrations/schema.ts';
import { settleObserved } from '../observed/settle.ts';
import type { LivenessTest } from '../presence/leases.ts';
import { messageWriterOf } from '../recording/message-writer.ts';
import type { Connection } from '../sqlite/connection.ts';
import { Database } from '../sqlite/database.ts';
import { type Prepare, preparer } from '../sqlite/statements.ts';
import { type Transaction, transactOn } from '../sqlite/transaction.ts';
import {
  commandsAsThen,
  copyExecution,
  numberAsRecorded,
  numberBehindAll,
  unchangedSince,
} from './copied-executions.ts';
import type { Moment } from './moment.ts';
import { fillUnlogged, livenessAt } from './unlogged-rows.ts';

/** Memory for pages of a past store, in KiB; what does not fit is in a file of SQLite's own that nobody sees. */
const cacheSize = 64_000;

/**
 * A store as it was at a moment, made from the log of one as it is. Executions that have not changed since are copied; the others are read from the log
 * again, up to the row of the moment. It can be moved to a later moment: then only what is new is read.
 */
export class PastStore {
  readonly #live: Connection;
  readonly #db: Connection;
  readonly #sql: Prepare;
  #at: Pick<Moment, 'last' | 'now' | 'recordedBy'> = { last: 0, now: 0, recordedBy: 0 };

  constructor(live: Connection) {
    this.#live = live;
    this.#db = new Database('');
    this.#db.pragma('journal_mode = OFF');
    this.#db.pragma('foreign_keys = OFF');
    this.#db.pragma(`cache_size = -${cacheSize}`);
    this.#db.exec(schema);
    this.#db.pragma(`user_version = ${schemaVersion}`);
    this.#sql = preparer(this.#db);
  }

  /** Whether a moment can be reached from where the store is. */
  leadsTo({ last, now, recordedBy }: Moment): boolean {
    const isSameCut = recordedBy === this.#at.recordedBy || this.#at.last === 0;
    return isSameCut && this.#at.last <= last && this.#at.now <= now;
  }

  /** Goes to a moment. Returns the connection, which is to be read only, and whether a process lived then. */
  async moveTo(moment: Moment, isAlive: LivenessTest): Promise<{ db: Connection; isAliveThen: LivenessTest }> {
    if (this.#live.memory)
      throw new SwfError(
        'STORE_UNAVAILABLE',
        `the store ${this.#live.name} is read from a copy in memory, which has no past; copy it to a local disk where you may write, and name that with --db`,
      );
    this.#db.pragma('query_only = OFF');
    this.#sql('ATTACH DATABASE ? AS live').run(this.#live.name);
    try {
      const at = { ms: moment.now, last: moment.last };
      const isAliveThen = livenessAt(this.#sql, isAlive, at);
      await this.#read(moment);
      this.#db.transaction(() => {
        numberAsRecorded(this.#sql);
        commandsAsThen(this.#sql, moment.last);
        fillUnlogged(this.#sql, { ms: moment.now, last: moment.last }, { ms: this.#at.now, last: this.#at.last });
        transactOn(this.#sql, (tx) => settleObserved(tx, { isAlive: isAliveThen, now: moment.now }));
      })();
      this.#at = moment;
      return { db: this.#db, isAliveThen };
    } finally {
      this.#db.exec('DETACH DATABASE live');
      this.#db.pragma('query_only = ON');
    }
  }

  close(): void {
    this.#db.close();
  }

  async #read(moment: Moment): Promise<void> {
    const sql = this.#sql;
    const rows = { ...moment, after: this.#at.last };
    sql('INSERT OR IGNORE INTO names SELECT * FROM live.names').run();
    const unchanged = unchangedSince(sql, rows);
    this.#db.transaction(() => {
      for (const id of unchanged) copyExecution(sql, id);
      numberBehindAll(sql);
    })();
    const history = historyOf(preparer(this.#live), { ...rows, except: unchanged });
    await replay(history, {
      messages: messageWriterOf(this.#db),
      write: async (work) => this.#write(work),
    });
  }

  async #write<T>(work: (tx: Transaction) => T): Promise<T> {
    let done: T | undefined;
    this.#db.transaction(() => transactOn(this.#sql, (tx) => (done = work(tx))))();
    return done as T;
  }
}
