import { Worker } from 'node:worker_threads';

import type { Connection } from './connection.ts';

export type CheckpointOrder = 'checkpoint' | 'close';

export interface CheckpointData {
  path: string;
  /** One number: 1 as soon as the thread has closed the store. */
  isClosed: Int32Array;
}

/** Commits between two checkpoints: some 3,000 pages of 4 kB at full speed. More at a time are hardly faster. */
const commitsApart = 40;

/** Pages in the write-ahead log from which on SQLite moves them itself, at the end of a commit. */
const pages = { withThread: 10_000, alone: 3000 };

/** How long the end of a process waits for the thread, in milliseconds. */
const patience = 2000;

/** Beside the bundle, whose chunks have a folder of their own. */
const program = new URL('../checkpoint-thread.js', import.meta.url);

/**
 * Moves the pages of the write-ahead log into the store, in a thread: a checkpoint takes as long as a hundred commits. The thread is started by
 * a process that commits often. Where it cannot run, SQLite does the same at the end of some commits, as it does where the thread falls behind.
 */
export class Checkpointer {
  readonly #path: string;
  readonly #db: Connection;
  readonly #isClosed = new Int32Array(new SharedArrayBuffer(4));
  #thread: Worker | undefined;
  #commits = 0;
  #canRun = true;

  constructor(path: string, db: Connection) {
    this.#path = path;
    this.#db = db;
    db.pragma(`wal_autocheckpoint = ${pages.withThread}`);
  }

  /** To be called after each commit. */
  afterCommit(): void {
    this.#commits += 1;
    if (!this.#canRun || this.#commits % commitsApart !== 0) return;
    this.#thread ??= this.#start();
    this.#order('checkpoint');
  }

  /** To be called before the store is closed: the last one that closes it moves all pages and removes the log. */
  close(): void {
    if (this.#thread === undefined || !this.#canRun) return;
    this.#order('close');
    Atomics.wait(this.#isClosed, 0, 0, patience);
  }

  #order(order: CheckpointOrder): void {
    this.#thread?.postMessage(order);
  }

  #start(): Worker {
    const thread = new Worker(program, {
      workerData: { path: this.#path, isClosed: this.#isClosed } satisfies CheckpointData,
    });
    thread.unref();
    thread.on('error', () => {
      this.#canRun = false;
      if (this.#db.open) this.#db.pragma(`wal_autocheckpoint = ${pages.alone}`);
    });
    return thread;
  }
}
