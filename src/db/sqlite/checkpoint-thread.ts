import { parentPort, workerData } from 'node:worker_threads';

import Database from 'better-sqlite3';

import type { CheckpointData, CheckpointOrder } from './checkpointer.ts';

/** The thread of a `Checkpointer`. A store that fails here fails in the process that writes too, which says so. */
const { path, isClosed } = workerData as CheckpointData;
const db = new Database(path, { fileMustExist: true });

parentPort?.on('message', (order: CheckpointOrder) => {
  if (order === 'checkpoint') {
    db.pragma('wal_checkpoint(PASSIVE)');
    return;
  }
  db.close();
  Atomics.store(isClosed, 0, 1);
  Atomics.notify(isClosed, 0);
  parentPort?.close();
});
