import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import Database from 'better-sqlite3';

import { quantile } from './figure.ts';

/** How often another process writes a row, in milliseconds. */
const every = 20;

/**
 * How long to wait inside SQLite, in milliseconds: as long as the product waits before it lets its process
 * continue.
 */
const busyTimeout = 20;

/**
 * Writes to a run's store as another process would, until it is stopped. Measures how long each write
 * waited for the lock, in milliseconds.
 */
export function competeWith(store: string): { stop(): Promise<{ p95: number; max: number }> } {
  const stopping = new AbortController();
  const waits: number[] = [];
  const working = (async () => {
    while (!existsSync(store) && !stopping.signal.aborted) await delay(5);
    const db = new Database(store, { timeout: busyTimeout });
    while (!stopping.signal.aborted && !hasSchema(db)) await delay(100);
    while (!stopping.signal.aborted) {
      waits.push(await writeOnce(db));
      await delay(every);
    }
    db.close();
  })();
  return {
    async stop() {
      stopping.abort();
      await working;
      return { p95: quantile(waits, 0.95), max: Math.max(0, ...waits) };
    },
  };
}

/**
 * Whether the schema exists. The run creates it first and locks the file meanwhile, on a busy machine for
 * longer than this process waits.
 */
function hasSchema(db: Database.Database): boolean {
  try {
    return db.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'store_meta'`).get() !== undefined;
  } catch (error) {
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) return false;
    throw error;
  }
}

async function writeOnce(db: Database.Database): Promise<number> {
  const began = performance.now();
  for (;;) {
    try {
      db.exec('BEGIN IMMEDIATE');
      break;
    } catch {
      await delay(2 + Math.random() * 10);
    }
  }
  const waited = performance.now() - began;
  db.prepare(
    `INSERT INTO store_meta (key, value) VALUES ('bench', ?) ON CONFLICT DO UPDATE SET value = excluded.value`,
  ).run(String(began));
  db.exec('COMMIT');
  return waited;
}
