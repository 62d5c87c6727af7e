import { type HistoryRow, historyOf, replay as replayInto } from '../../src/db/maintenance/replay.ts';
import { openReader } from '../../src/db/opening/open-reader.ts';
import { openStore } from '../../src/db/opening/open-store.ts';
import { preparer } from '../../src/db/sqlite/statements.ts';

export type { HistoryRow } from '../../src/db/maintenance/replay.ts';

/** The whole log of a store, in its order: one line of JSON each in a recorded history. */
export function readHistory(path: string): HistoryRow[] {
  const db = openReader(path);
  const rows = [...historyOf(preparer(db))];
  db.close();
  return rows;
}

/** Reads a log into a new store. */
export async function replay(history: readonly HistoryRow[], path: string): Promise<void> {
  const store = await openStore(path);
  await replayInto(history, store);
  store.close();
}
