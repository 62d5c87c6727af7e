import { SwfError } from '../../lib/errors.ts';
import type { MessageWriter } from '../recording/message-writer.ts';
import type { Connection } from '../sqlite/connection.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

export interface Store extends Disposable {
  readonly path: string;
  readonly db: Connection;
  /** The store's statements, for queries outside a transaction. */
  readonly sql: Prepare;
  /** The only writer of the log and of the tables derived from it. */
  readonly messages: MessageWriter;
  /**
   * Runs `work` in one immediate transaction. Resolves with the result of `work` once committed. Concurrent
   * writes share a commit; a failing write does not affect the others. While another process is writing, this
   * process retries, with other work in between, so `work` may be called more than once. Throws
   * `STORE_UNAVAILABLE` if the store stays locked, or if another file has taken its place, and rethrows the
   * errors of `work`.
   */
  write<T>(work: (tx: Transaction) => T): Promise<T>;
  /**
   * Like `write`, but in a single synchronous attempt, for a process that is about to end. Throws if another
   * process is writing.
   */
  writeAtOnce(work: (tx: Transaction) => void): void;
  /** Makes later writes give up sooner, since a caller is waiting for the process to end. */
  hurry(): void;
  close(): void;
}

/**
 * Writes items in one transaction. If one of them cannot be written, each gets its own transaction, so that one
 * bad item does not prevent the others from being written. Rejects if the store itself is at fault; the caller
 * may retry.
 * @param write writes one item, and returns what it found
 * @param refuse called instead of `write` for an item that cannot be written
 */
export async function writeEach<Item, Found>(
  store: Pick<Store, 'write'>,
  items: readonly Item[],
  write: (tx: Transaction, item: Item) => Found[],
  refuse: (tx: Transaction, item: Item, error: unknown) => Found[],
) {
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
