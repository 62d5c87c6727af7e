import { SwfError } from '../../lib/errors.ts';
import type { MessageWriter } from '../recording/message-writer.ts';
import type { Connection } from '../sqlite/connection.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** A store that is open for writing. */
export interface Store extends Disposable {
  readonly path: string;
  readonly db: Connection;
  /** Its statements, for queries outside a transaction. */
  readonly sql: Prepare;
  /** The only writer of the log and of the tables derived from it. */
  readonly messages: MessageWriter;
  /**
   * Runs `work` in one immediate transaction. Resolves with its result once committed. Concurrent writes
   * share a commit; a failing write does not affect the others. While another process writes, this retries
   * with pauses in which the process does other work, so `work` may be called more than once. Throws
   * `STORE_UNAVAILABLE` if the store stays locked, or if another file has taken its place, and the errors of
   * `work`.
   */
  write<T>(work: (tx: Transaction) => T): Promise<T>;
  /** The same in one synchronous try, for the last moment of a process. Throws if another process writes. */
  writeAtOnce(work: (tx: Transaction) => void): void;
  /** Makes writes give up sooner from now on: a caller waits for the end. */
  hurry(): void;
  close(): void;
}

/**
 * Writes items in one transaction. If one of them cannot be written, each gets its own transaction, so that
 * one bad item does not keep the others out. Rejects on a fault of the store itself, which may be retried.
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
