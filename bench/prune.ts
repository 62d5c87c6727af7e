import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import Database from 'better-sqlite3';

import { competeWith } from './competing-writer.ts';
import { below, type Figure } from './figure.ts';
import { hook, runMeasured } from './processes.ts';

/**
 * How fast `prune` removes the oldest tenth of a store, in messages a second, and how long another process
 * that writes at the same time has to wait for the lock. The store is smaller afterwards.
 */
export async function benchPrune(store: string): Promise<Figure[]> {
  const before = count(store, 'message_rows');
  const keep = executionsToKeep(store, before / 10);
  const holdFile = join(store, '..', 'prune-hold.json');
  const other = competeWith(store);
  const began = performance.now();
  await runMeasured(['--db', store, 'prune', '--keep', String(keep)], {
    hooks: [hook('lock-hold')],
    env: { SWF_LOCK_HOLD: holdFile },
  });
  const seconds = (performance.now() - began) / 1000;
  const wait = await other.stop();
  const hold = JSON.parse(readFileSync(holdFile, 'utf8')) as { p99: number; max: number };
  const removed = before - count(store, 'message_rows');
  return [
    {
      figure: `prune of ${removed.toLocaleString('en')} of ${before.toLocaleString('en')} messages`,
      unit: 'messages/s',
      ours: removed / seconds,
      aim: { says: '≥ 50,000/s', holds: ({ ours }) => ours >= 50_000 },
    },
    { figure: 'lock held by a transaction of it, p99', unit: 'ms', ours: hold.p99 },
    { figure: 'longest hold', unit: 'ms', ours: hold.max, aim: below(50, 'ms') },
    { figure: 'wait of the other writer, p95', unit: 'ms', ours: wait.p95 },
    { figure: 'longest wait', unit: 'ms', ours: wait.max },
  ];
}

function ask<T>(store: string, work: (db: Database.Database) => T): T {
  const db = new Database(store, { readonly: true });
  try {
    return work(db);
  } finally {
    db.close();
  }
}

const count = (store: string, table: string): number =>
  ask(store, (db) => db.prepare<[], number>(`SELECT count(*) FROM ${table}`).pluck().get() ?? 0);

/**
 * How many of the newest executions to keep so that the older ones removed have about `messages` messages together.
 */
function executionsToKeep(store: string, messages: number): number {
  return ask(store, (db) => {
    const counts = db
      .prepare<[], number>(
        `SELECT (SELECT sum(n) FROM message_counts AS c WHERE c.execution_id = e.execution_id) FROM workflow_executions AS e ORDER BY seq`,
      )
      .pluck()
      .all();
    let removed = 0;
    let oldest = 0;
    while (removed + (counts[oldest] ?? Infinity) <= messages) removed += counts[oldest++] ?? 0;
    return counts.length - oldest;
  });
}
