import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

import type { Connection } from './connection.ts';

export type CheckpointOrder = 'checkpoint' | 'close';

export interface CheckpointData {
  path: string;
  /** One number: 1 once the thread and its connection have ended. */
  hasEnded: Int32Array;
}

/**
 * Number of commits between two checkpoints: about 3,000 pages of 4 kB at full speed. More commits per
 * checkpoint are hardly faster.
 */
const commitsApart = 40;

/** When the write-ahead log has this many pages, SQLite itself moves them into the store at the end of a commit. */
const pages = { withThread: 10_000, alone: 3000 };

/** How long an ending process waits for the thread, in milliseconds. */
const patience = 2000;

/** The program file is next to the bundle. */
const program = new URL('./checkpoint-thread.js', import.meta.url);

/**
 * Uses a thread to move the pages of the write-ahead log into the store, since a checkpoint takes as long as a
 * hundred commits. A process that commits often starts the thread. If the thread cannot run or falls behind,
 * SQLite moves the pages at the end of some commits.
 */
export function createCheckpointer(path: string, db: Connection) {
  const hasEnded = new Int32Array(new SharedArrayBuffer(4));
  let thread: Worker | undefined;
  let commits = 0;
  let canRun = existsSync(program);

  const tell = (order: CheckpointOrder): void => thread?.postMessage(order, []);

  const leaveToSqlite = (as: keyof typeof pages) => {
    if (db.open) db.pragma(`wal_autocheckpoint = ${pages[as]}`);
  };

  const doWithout = () => {
    canRun = false;
    leaveToSqlite('alone');
  };

  /** The thread; undefined if the system cannot start one. */
  function start() {
    try {
      const started = new Worker(program, { workerData: { path, hasEnded } satisfies CheckpointData });
      started.unref();
      started.on('online', () => leaveToSqlite('withThread'));
      started.on('error', doWithout);
      return started;
    } catch {
      doWithout();
      return undefined;
    }
  }

  leaveToSqlite('alone');
  return {
    /** Call this after each commit. */
    afterCommit() {
      commits += 1;
      if (!canRun || commits % commitsApart !== 0) return;
      thread ??= start();
      tell('checkpoint');
    },
    /**
     * Call this before closing the store. The last connection to close moves all pages into the store and
     * removes the write-ahead log.
     */
    close() {
      if (!canRun) return;
      tell('close');
      if (thread !== undefined) Atomics.wait(hasEnded, 0, 0, patience);
    },
  };
}
