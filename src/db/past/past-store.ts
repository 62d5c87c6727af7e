import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { historyOf, replay } from '../maintenance/replay.ts';
import { settleObserved } from '../observed/settle.ts';
import { createTables } from '../opening/create-tables.ts';
import type { LivenessTest } from '../presence/leases.ts';
import { createMessageWriter } from '../recording/message-writer.ts';
import { type Connection, Database } from '../sqlite/connection.ts';
import { preparer } from '../sqlite/statements.ts';
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
 * A store as it was at a moment, made from the log of the current one. Executions that have not changed since
 * are copied; others are replayed up to the row of the moment. It can move to a later moment: then it reads
 * only what is new.
 */
export function createPastStore(live: Connection) {
  const db = new Database('');
  db.pragma('journal_mode = OFF');
  db.pragma('foreign_keys = OFF');
  db.pragma(`cache_size = -${cacheSize}`);
  createTables(db);
  const sql = preparer(db);
  let reached: Omit<Moment, 'exact'> = { last: 0, now: 0, iso: new Date(0).toISOString(), recordedBy: 0 };

  /** Reads the new rows. Returns the last numbers that rows had before. */
  async function read(moment: Moment): Promise<ReadonlyMap<string, number>> {
    const rows = { ...moment, after: reached.last };
    const { unchanged, behind } = db.transaction(() => {
      sql('INSERT OR IGNORE INTO names SELECT * FROM live.names').run();
      const ids = unchangedSince(sql, rows);
      for (const id of ids) copyExecution(sql, id);
      return { unchanged: ids, behind: numberBehind(sql) };
    })();
    const history = historyOf(preparer(live), { ...rows, except: unchanged });
    await replay(history, {
      messages: createMessageWriter(sql),
      write: async (work) => db.transaction(() => transactOn(sql, work))(),
    });
    return behind;
  }

  return {
    /** Whether a moment can be reached from the present one of the store. */
    leadsTo({ last, now, recordedBy }: Moment): boolean {
      const isSameCut = recordedBy === reached.recordedBy || reached.last === 0;
      return isSameCut && reached.last <= last && reached.now <= now;
    },
    /**
     * Moves to a moment. Returns the connection, for reading only, and a test of whether a process was alive
     * then.
     */
    async moveTo(moment: Moment, isAlive: LivenessTest) {
      db.pragma('query_only = OFF');
      const detach = attach(live, db);
      try {
        const isAliveThen = livenessAt(sql, isAlive, moment);
        const behind = await read(moment);
        db.transaction(() => {
          numberAsRecorded(sql, behind);
          commandsAsThen(sql, moment);
          fillUnlogged(sql, moment, reached);
          transactOn(sql, (tx) => settleObserved(tx, { isAlive: isAliveThen, now: moment.now }));
        })();
        reached = moment;
        return { db, isAliveThen };
      } finally {
        detach();
        db.pragma('query_only = ON');
      }
    },
    close: () => db.close(),
  };
}

export type PastStore = ReturnType<typeof createPastStore>;

/**
 * Attaches a store as `live`. A copy in memory is written to a file for that. Returns a function that
 * detaches it.
 */
function attach(live: Connection, db: Connection): () => void {
  const folder = live.memory ? mkdtempSync(join(tmpdir(), 'swf-mcp-past-')) : undefined;
  const file = folder === undefined ? live.name : join(folder, 'store.db');
  if (folder !== undefined) writeFileSync(file, live.serialize(), { mode: 0o600 });
  preparer(db)('ATTACH DATABASE ? AS live').run(file);
  return () => {
    db.exec('DETACH DATABASE live');
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  };
}
