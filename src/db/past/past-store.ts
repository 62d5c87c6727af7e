import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { historyOf, replay } from '../maintenance/replay.ts';
import { schema, schemaVersion } from '../migrations/schema.ts';
import { settleObserved } from '../observed/settle.ts';
import type { LivenessTest } from '../presence/leases.ts';
import { MessageWriter } from '../recording/message-writer.ts';
import { type Connection, Database } from '../sqlite/connection.ts';
import { type Prepare, preparer } from '../sqlite/statements.ts';
import { transactOn } from '../sqlite/transaction.ts';
import type { Moment } from './moment.ts';
import {
  commandsAsThen,
  copyExecution,
  fillUnlogged,
  livenessAt,
  numberAsRecorded,
  numberBehind,
  unchangedSince,
} from './unlogged-rows.ts';

/** Memory for pages of a past store, in KiB; the rest goes to a private temporary file of SQLite. */
const cacheSize = 64_000;

/**
 * A store as it was at a moment, made from the log of the current one. Executions that have not changed since are copied; others are replayed up to
 * the row of the moment. It can move to a later moment: then it reads only what is new.
 */
export class PastStore {
  readonly #live: Connection;
  readonly #db: Connection;
  readonly #sql: Prepare;
  #at: Omit<Moment, 'exact'> = { last: 0, now: 0, iso: new Date(0).toISOString(), recordedBy: 0 };

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

  /** Moves to a moment. Returns the connection, for reading only, and a test of whether a process was alive then. */
  async moveTo(moment: Moment, isAlive: LivenessTest): Promise<{ db: Connection; isAliveThen: LivenessTest }> {
    this.#db.pragma('query_only = OFF');
    const detach = this.#attach();
    try {
      const isAliveThen = livenessAt(this.#sql, isAlive, moment);
      const behind = await this.#read(moment);
      this.#db.transaction(() => {
        numberAsRecorded(this.#sql, behind);
        commandsAsThen(this.#sql, moment);
        fillUnlogged(this.#sql, moment, this.#at);
        transactOn(this.#sql, (tx) => settleObserved(tx, { isAlive: isAliveThen, now: moment.now }));
      })();
      this.#at = moment;
      return { db: this.#db, isAliveThen };
    } finally {
      detach();
      this.#db.pragma('query_only = ON');
    }
  }

  close(): void {
    this.#db.close();
  }

  /** Attaches the store as `live`. A copy in memory is written to a file for that. Returns a function that detaches it. */
  #attach(): () => void {
    const folder = this.#live.memory ? mkdtempSync(join(tmpdir(), 'swf-mcp-past-')) : undefined;
    const file = folder === undefined ? this.#live.name : join(folder, 'store.db');
    if (folder !== undefined) writeFileSync(file, this.#live.serialize(), { mode: 0o600 });
    this.#sql('ATTACH DATABASE ? AS live').run(file);
    return () => {
      this.#db.exec('DETACH DATABASE live');
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    };
  }

  /** Reads the new rows. Returns the last numbers that rows had before. */
  async #read(moment: Moment): Promise<ReadonlyMap<string, number>> {
    const sql = this.#sql;
    const rows = { ...moment, after: this.#at.last };
    const { unchanged, behind } = this.#db.transaction(() => {
      sql('INSERT OR IGNORE INTO names SELECT * FROM live.names').run();
      const ids = unchangedSince(sql, rows);
      for (const id of ids) copyExecution(sql, id);
      return { unchanged: ids, behind: numberBehind(sql) };
    })();
    const history = historyOf(preparer(this.#live), { ...rows, except: unchanged });
    await replay(history, {
      messages: new MessageWriter(sql),
      write: async (work) => this.#db.transaction(() => transactOn(sql, work))(),
    });
    return behind;
  }
}
