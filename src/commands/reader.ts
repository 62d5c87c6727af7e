import { createQueries, type Queries } from '../db/queries.ts';
import { type Connection, openReader } from '../db/store.ts';
import { isAlive } from '../process-identity.ts';

export interface StoreReader {
  /** The store's questions; opens it at the first call that finds it. Throws `SwfError` as long as there is none. */
  queries: () => Queries;
  close: () => void;
}

/** A store that is only read, and may not be there yet. */
export function createStoreReader(path: string): StoreReader {
  let open: { db: Connection; queries: Queries } | undefined;
  return {
    queries() {
      if (open === undefined) {
        const db = openReader(path);
        open = { db, queries: createQueries(db, isAlive) };
      }
      return open.queries;
    },
    close: () => open?.db.close(),
  };
}
