import type { Connection } from './connection.ts';

/** Each try waits for locks as long as any statement does. */
const maxTries = 50;

/** Moves all of the write-ahead log into the store. Returns false if a reader of an older state, or another mover, stays in the way for long. */
export function moveLog(db: Connection): boolean {
  for (let tries = 0; tries < maxTries; tries += 1) {
    const [moved] = db.pragma('wal_checkpoint(FULL)') as { busy: number; log: number; checkpointed: number }[];
    if (moved?.busy === 0 && moved.log === moved.checkpointed) return true;
  }
  return false;
}
