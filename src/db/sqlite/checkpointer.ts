import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

import type { Connection } from './connection.ts';

export type CheckpointOrder = 'checkpoint' | 'close';

export interface CheckpointData {
  path: string;
  /** One number: 1 once the thread and its connection have ended. */
  hasEnded: Int32Array;
}

/** Commits between two checkpoints: about 3,000 pages of 4 kB at full speed. Larger batches are hardly faster. */
const commitsApart = 40;

/** Pages in the write-ahead log at which SQLite moves them itself, at the end of a commit. */
const pages = { withThread: 10_000, alone: 3000 };

/** How long an ending process waits for the thread, in milliseconds. */
const patience = 2000;

/** Beside the bundle. */
const program = new URL('./checkpoint-thread.js', import.meta.url);

/**
 * Moves the pages of the write-ahead log into the store in a thread, since a checkpoint takes as long as a hundred commits. A process that commits
 * often starts the thread. If the thread cannot run or falls behind, SQLite does the same at the end of some commits.
 */
export class Checkpointer {
  readonly #path: string;
  readonly #db: Connection;
  readonly #hasEnded = new Int32Array(new SharedArrayBuffer(4));
  #thread: Worker | undefined;
  #commits = 0;
  #canRun = existsSync(program);

  constructor(path: string, db: Connection) {
    this.#path = path;
    this.#db = db;
    this.#leaveToSqlite('alone');
  }

  /** Call after each commit. */
  afterCommit(): void {
    this.#commits += 1;
    if (!this.#canRun || this.#commits % commitsApart !== 0) return;
    this.#thread ??= this.#start();
    this.#thread?.postMessage('checkpoint' satisfies CheckpointOrder);
  }

  /** Call before closing the store: the last connection to close it moves all pages and removes the log. */
  close(): void {
    if (!this.#canRun) return;
    this.#thread?.postMessage('close' satisfies CheckpointOrder);
    if (this.#thread !== undefined) Atomics.wait(this.#hasEnded, 0, 0, patience);
  }

  /** The thread; undefined if the system provides none. */
  #start(): Worker | undefined {
    try {
      const workerData: CheckpointData = { path: this.#path, hasEnded: this.#hasEnded };
      const thread = new Worker(program, { workerData });
      thread.unref();
      thread.on('online', () => this.#leaveToSqlite('withThread'));
      thread.on('error', () => this.#doWithout());
      return thread;
    } catch {
      this.#doWithout();
      return undefined;
    }
  }

  #doWithout(): void {
    this.#canRun = false;
    this.#leaveToSqlite('alone');
  }

  #leaveToSqlite(as: keyof typeof pages): void {
    if (this.#db.open) this.#db.pragma(`wal_autocheckpoint = ${pages[as]}`);
  }
}
