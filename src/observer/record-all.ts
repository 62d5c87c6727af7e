import { noteGap } from '../db/observed/hearings.ts';
import type { Store } from '../db/opening/store.ts';
import type { Transaction } from '../db/sqlite/transaction.ts';
import { messageOf, SwfError } from '../lib/errors.ts';

/**
 * Records items in one transaction. If one of them cannot be recorded, each gets its own transaction, so that the bad item keeps none of the others out; it
 * is recorded as a gap. Rejects on a fault of the store itself, which may be retried.
 * @param record returns what it has found
 * @param timeOf the time of an item, ISO 8601
 */
export async function recordAll<Item, Found>(
  store: Store,
  items: readonly Item[],
  record: (tx: Transaction, item: Item) => Found[],
  timeOf: (item: Item) => string,
): Promise<Found[]> {
  try {
    return await store.write((tx) => items.flatMap((item) => record(tx, item)));
  } catch (error) {
    if (error instanceof SwfError) throw error;
  }
  const found: Found[] = [];
  for (const item of items)
    try {
      found.push(...(await store.write((tx) => record(tx, item))));
    } catch (error) {
      if (error instanceof SwfError) throw error;
      const time = timeOf(item);
      const reason = `a message could not be recorded: ${messageOf(error)}`;
      await store.write((tx) => noteGap(tx, { from: time, until: time, reason }));
    }
  return found;
}
