import type { Store } from '../db/sqlite/open-store.ts';

/** How often a process looks whether another one has written into its store. */
const lookMilliseconds = 50;

/** Calls back when another process has written into the store, until it is stopped. Returns the way to stop it. */
export function watchStore({ db }: Store, onChange: () => void): () => void {
  const versionNow = (): unknown => db.pragma('data_version', { simple: true });
  let version = versionNow();
  const timer = setInterval(() => {
    try {
      const now = versionNow();
      if (now === version) return;
      version = now;
    } catch {
      // A faulty store is told of by the next write.
      return;
    }
    onChange();
  }, lookMilliseconds);
  return () => clearInterval(timer);
}
