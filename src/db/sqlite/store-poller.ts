import { tried } from '../../lib/tried.ts';
import type { Connection } from './connection.ts';

/** How often to check whether another process has written to the store, in milliseconds. */
const pollMilliseconds = 50;

/** Calls back when another process has written to the store. Returns a function that stops it. */
export function pollStore(db: Connection, onChange: () => void): () => void {
  const versionNow = (): unknown => db.pragma('data_version', { simple: true });
  let version = versionNow();
  const timer = setInterval(() => {
    // The next write reports a faulty store.
    const now = tried(versionNow) ?? version;
    if (now === version) return;
    version = now;
    onChange();
  }, pollMilliseconds);
  return () => clearInterval(timer);
}
