import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type LogPart, nextRows, replay, together } from '../maintenance/replay.ts';
import { settleObserved } from '../observed/settle.ts';
import { createTables } from '../opening/create-tables.ts';
import type { LivenessTest } from '../presence/leases.ts';
import { createMessageWriter } from '../recording/message-writer.ts';
import { type Connection, Database } from '../sqlite/connection.ts';
import { preparer, type Prepare } from '../sqlite/statements.ts';
import { transactOn, type Transaction } from '../sqlite/transaction.ts';
import type { Moment } from './moment.ts';
import { settledRows } from './settled-rows.ts';
import {
  commandsAsThen,
  copyExecution,
  fillUnlogged,
  livenessAt,
  numberAsRecorded,
  numberBehind,
  unchangedSince,
} from './unlogged-rows.ts';

/** The memory for pages of a past store, in KiB; the other pages go to a private SQLite temporary file. */
const cacheSize = 64_000;

/**
 * A store as it was at a moment, created from the log of the current store. Executions that have not changed
 * since that moment are copied; others are replayed up to the moment's last row. The past store can move to a
 * later moment, and then reads only what is new.
 * @param leastSettled an execution with fewer new messages is replayed without looking for settled rows
 */
export function createPastStore(live: Connection, leastSettled = 1000) {
  const db = new Database('');
  db.pragma('journal_mode = OFF');
  db.pragma('foreign_keys = OFF');
  db.pragma(`cache_size = -${cacheSize}`);
  createTables(db);
  const sql = preparer(db);
  let reached = { last: 0, now: 0, iso: new Date(0).toISOString(), recordedBy: 0 };

  return {
    /** Whether the store can move from its current moment to the given one. */
    leadsTo({ last, now, recordedBy }: Moment) {
      const isSameCut = recordedBy === reached.recordedBy || reached.last === 0;
      return isSameCut && reached.last <= last && reached.now <= now;
    },
    /**
     * Moves the past store to a moment. Returns a read-only connection, and a function that tests whether a
     * process was alive at that moment.
     */
    async moveTo(moment: Moment, isAlive: LivenessTest) {
      db.pragma('query_only = OFF');
      const detach = attach(live, db);
      try {
        const isAliveThen = livenessAt(sql, isAlive, moment);
        const part = { ...moment, after: reached.last };
        const behind = await readRows({ db, sql, live }, part, leastSettled);
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

interface Connections {
  db: Connection;
  sql: Prepare;
  live: Connection;
}

/** Reads the rows in a part of the log. Returns what `numberBehind` returned. */
async function readRows({ db, sql, live }: Connections, part: LogPart, leastSettled: number) {
  const write = <T>(work: (tx: Transaction) => T) => db.transaction(() => transactOn(sql, work))();
  const { behind, settled } = write(() => {
    sql('INSERT OR IGNORE INTO names SELECT * FROM live.names').run();
    for (const id of unchangedSince(sql, part)) copyExecution(sql, id);
    return { behind: numberBehind(sql), settled: settledRows(sql, live, part, leastSettled) };
  });
  const store = { messages: createMessageWriter(sql), write: async <T>(work: (tx: Transaction) => T) => write(work) };
  // An execution's first message usually gives all the execution's names, so replay one message first.
  for (let { after } = part, limit = 1; ; limit = Math.min(2 * limit, together)) {
    write(() => settled.choose(after));
    const rows = nextRows(sql, { ...part, after, limit }, settled.numbers);
    const last = rows.at(-1);
    if (last === undefined) break;
    await replay(rows, store);
    after = last.seq;
  }
  write((tx) => settled.copy(tx));
  return behind;
}

export type PastStore = ReturnType<typeof createPastStore>;

/** Attaches a store as `live`; an in-memory store is first written to a file. Returns a function to detach it. */
function attach(live: Connection, db: Connection) {
  const folder = live.memory ? mkdtempSync(join(tmpdir(), 'swf-mcp-past-')) : undefined;
  const file = folder === undefined ? live.name : join(folder, 'store.db');
  if (folder !== undefined) writeFileSync(file, live.serialize(), { mode: 0o600 });
  preparer(db)('ATTACH DATABASE ? AS live').run(file);
  return () => {
    db.exec('DETACH DATABASE live');
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  };
}
