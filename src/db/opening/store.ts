import type { MessageWriter } from '../recording/message-writer.ts';
import type { Connection } from '../sqlite/connection.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Transaction } from '../sqlite/transaction.ts';

/** A store that is open for writing. */
export interface Store {
  readonly path: string;
  readonly db: Connection;
  /** Its statements, for questions outside of a transaction. */
  readonly sql: Prepare;
  /** The only writer of the log and of the tables that are read from it. */
  readonly messages: MessageWriter;
  /**
   * Runs `work` as one immediate transaction. Resolves with its result when it is committed. Writes of the same moment share a commit;
   * one that throws does not touch the others. While another process writes, it is tried again with pauses in which this process goes on,
   * so `work` may be called more than once. Throws `STORE_UNAVAILABLE` when the store stays locked, and where another file has taken its
   * place; passes on the errors of `work`.
   */
  write<T>(work: (tx: Transaction) => T): Promise<T>;
  /** The same in one try, before it returns: for the last moment of a process. Throws where another process writes. */
  writeAtOnce(work: (tx: Transaction) => void): void;
  /** From now on a write is given up sooner: somebody waits for the end. */
  hurry(): void;
  close(): void;
}
