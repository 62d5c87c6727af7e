import { openReader } from '../../db/opening/open-reader.ts';
import type { Past, Pasts } from '../../db/past-queries.ts';
import { createQueries, type Queries } from '../../db/queries.ts';
import type { Connection } from '../../db/sqlite/connection.ts';
import { contentAt, fileAt } from '../../db/sqlite/store-file.ts';
import { isAlive } from '../../lib/process-identity.ts';
import { StillReader } from './still-reader.ts';

interface Open {
  db: Connection;
  queries: Queries;
  pasts?: Pasts;
  still?: StillReader;
  file: string | undefined;
}

export interface StoreReader {
  /** The store's questions; opens it at the first call that finds it. Throws `SwfError` as long as there is none. */
  queries: () => Queries;
  /** The store as it was at a moment. @param present milliseconds since 1970 */
  past: (asOf: string, present: number) => Promise<Past>;
  /** Asks on one state of the store for as long as that takes, by a connection of its own: others are asked meanwhile. */
  held: <T>(ask: (queries: Queries) => Promise<T>) => Promise<T>;
  close: () => void;
}

/** The store at a moment; left out, as it is now. @param asOf as `as_of` of tools */
export async function momentIn(
  reader: StoreReader,
  asOf: string | undefined,
): Promise<{ queries: Queries; now: number }> {
  return asOf === undefined ? { queries: reader.queries(), now: Date.now() } : reader.past(asOf, Date.now());
}

/**
 * A store that is only read, may not be there yet, and may be removed and made anew.
 * @param isServer whether others wait meanwhile for answers of this process
 */
export function createStoreReader(path: string, { isServer = false } = {}): StoreReader {
  let open: Open | undefined;
  const close = (): void => {
    open?.pasts?.close();
    open?.still?.close();
    open?.db.close();
    open = undefined;
  };
  const current = (): Open => {
    // A copy in memory does not follow its file.
    const file = open?.db.memory === true ? contentAt(path) : fileAt(path);
    if (open !== undefined && open.file !== file) close();
    if (open === undefined) {
      const db = openReader(path, undefined, { isServer });
      open = { db, queries: createQueries(db, isAlive), file: db.memory ? contentAt(path) : fileAt(path) };
    }
    return open;
  };
  return {
    queries: () => current().queries,
    async past(asOf, present) {
      const of = current();
      // Few ask about the past, and reading a log again takes modules of its own.
      const { Pasts } = await import('../../db/past-queries.ts');
      of.pasts ??= new Pasts(of.db, isAlive);
      return of.pasts.at(asOf, present);
    },
    async held(ask) {
      const of = current();
      of.still ??= new StillReader(() => openReader(path, undefined, { isServer }));
      return of.still.ask(ask);
    },
    close,
  };
}
