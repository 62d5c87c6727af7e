import { SwfError } from '../../lib/errors.ts';
import type { Transaction } from '../sqlite/transaction.ts';
import type { Store } from './store.ts';

/**
 * Writes items in one transaction. If one of them cannot be written, each gets its own transaction, so that one bad item does not keep the others out.
 * Rejects on a fault of the store itself, which may be retried.
 * @param write returns what it has found
 * @param refuse called instead of `write` for an item that cannot be written
 */
export async function writeEach<Item, Found>(
  store: Pick<Store, 'write'>,
  items: readonly Item[],
  write: (tx: Transaction, item: Item) => Found[],
  refuse: (tx: Transaction, item: Item, error: unknown) => Found[],
): Promise<Found[]> {
  try {
    return await store.write((tx) => items.flatMap((item) => write(tx, item)));
  } catch (error) {
    if (error instanceof SwfError) throw error;
  }
  const found: Found[] = [];
  for (const item of items)
    try {
      found.push(...(await store.write((tx) => write(tx, item))));
    } catch (error) {
      if (error instanceof SwfError) throw error;
      found.push(...(await store.write((tx) => refuse(tx, item, error))));
    }
  return found;
}
