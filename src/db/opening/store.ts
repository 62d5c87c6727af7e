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
  /** The only writer of the log and of the tables that are read from it. */
  readonly messages: MessageWriter;
  /**
   * Runs `work` in one immediate transaction. Resolves with its result once committed. Concurrent writes share a commit; a failing write does not
   * affect the others. While another process writes, this retries with pauses in which the process goes on, so `work` may be called more than once.
   * Throws `STORE_UNAVAILABLE` if the store stays locked, or if another file has taken its place, and the errors of `work`.
   */
  write<T>(work: (tx: Transaction) => T): Promise<T>;
  /** The same in one synchronous try, for the last moment of a process. Throws if another process writes. */
  writeAtOnce(work: (tx: Transaction) => void): void;
  /** Makes writes give up sooner from now on: a caller waits for the end. */
  hurry(): void;
  close(): void;
}
