import { parentPort, workerData } from 'node:worker_threads';

import type { CheckpointData, CheckpointOrder } from './checkpointer.ts';
import { Database } from './connection.ts';

/**
 * The thread of a `checkpointer`. An error ends the thread; after that, SQLite runs checkpoints in the writing
 * process.
 */
const { path, hasEnded } = workerData as CheckpointData;

process.on('exit', () => {
  Atomics.store(hasEnded, 0, 1);
  Atomics.notify(hasEnded, 0);
});

const db = new Database(path, { fileMustExist: true });
parentPort?.on('message', (order: CheckpointOrder) => {
  if (order === 'checkpoint') {
    db.pragma('wal_checkpoint(PASSIVE)');
    return;
  }
  db.close();
  parentPort?.close();
});
