import type { Connection } from './connection.ts';

/** How often a process looks whether another one has written into its store, in milliseconds. */
const pollMilliseconds = 50;

/** Calls back when another process has written into the store. Returns a function that ends it. */
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
