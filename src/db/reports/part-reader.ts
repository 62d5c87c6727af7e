import { SwfError } from '../../lib/errors.ts';

/** Reads parts of a store one by one, so that damage in one table does not hide the others. */
export class PartReader {
  /** The parts that could not be read. */
  readonly unreadable: string[] = [];

  /** Returns the value of `ask`, or `instead` if that part of the store is damaged, or need not be read. */
  read<T>(part: string, ask: () => T, instead: T, isNeeded = true): T {
    if (!isNeeded) return instead;
    try {
      return ask();
    } catch (error) {
      if (!(error instanceof SwfError) || error.code !== 'STORE_CORRUPT') throw error;
      this.unreadable.push(part);
      return instead;
    }
  }
}
