import { pause } from '../../lib/deadline.ts';
import type { Connection } from './connection.ts';

/** Another process that wrote within this time is assumed to go on writing, in milliseconds. */
const recently = 1000;

/** In milliseconds. Less is not slept. */
const rest = 2;

/**
 * Leaves the store's lock free for a moment if other processes write too. SQLite has no queue: a waiting process tries again and again, and a run
 * at full speed holds the lock most of the time. Returns a function to call after each commit, before the next one.
 * @param commitsApart commits between two rests
 */
export function letOthersWrite(db: Connection, commitsApart: number): () => Promise<void> {
  // A number that changes with each commit of another connection.
  const version = db.prepare<[], number>('PRAGMA data_version').pluck();
  let known: number | undefined;
  let until = 0;
  let commits = 0;
  return async () => {
    commits += 1;
    if (commits % commitsApart !== 0) return;
    const before = known;
    known = version.get() ?? 0;
    if (before !== undefined && known !== before) until = performance.now() + recently;
    if (performance.now() < until) await pause(rest);
  };
}
