import type { Connection } from './connection.ts';

/** How often to check whether another process has written to the store, in milliseconds. */
const pollMilliseconds = 50;

/** Calls back when another process has written to the store. Returns a function that stops it. */
export function pollStore(db: Connection, onChange: () => void): () => void {
  const versionNow = (): unknown => db.pragma('data_version', { simple: true });
  let version = versionNow();
  const timer = setInterval(() => {
    try {
      const now = versionNow();
      if (now === version) return;
      version = now;
    } catch {
      // The next write reports a faulty store.
      return;
    }
    onChange();
  }, pollMilliseconds);
  return () => clearInterval(timer);
}
