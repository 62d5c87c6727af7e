import { openReader } from '../../db/opening/open-reader.ts';
import { createQueries, type Queries } from '../../db/queries.ts';
import type { Connection } from '../../db/sqlite/connection.ts';
import { contentAt, fileAt } from '../../db/sqlite/store-file.ts';
import { isAlive } from '../../lib/process-identity.ts';

export interface StoreReader {
  /** The store's questions; opens it at the first call that finds it. Throws `SwfError` as long as there is none. */
  queries: () => Queries;
  close: () => void;
}

/**
 * A store that is only read, may not be there yet, and may be removed and made anew.
 * @param isServer whether others wait meanwhile for answers of this process
 */
export function createStoreReader(path: string, { isServer = false } = {}): StoreReader {
  let open: { db: Connection; queries: Queries; file: string | undefined } | undefined;
  return {
    queries() {
      // A copy in memory does not follow its file.
      const file = open?.db.memory === true ? contentAt(path) : fileAt(path);
      if (open !== undefined && open.file !== file) {
        open.db.close();
        open = undefined;
      }
      if (open === undefined) {
        const db = openReader(path, undefined, { isServer });
        open = { db, queries: createQueries(db, isAlive), file: db.memory ? contentAt(path) : fileAt(path) };
      }
      return open.queries;
    },
    close: () => open?.db.close(),
  };
}
