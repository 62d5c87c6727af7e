import type { Transaction } from '../../db/sqlite/transaction.ts';
import type { Answer, Body } from '../objects/resource.ts';

/** A request that registers nothing by itself. To add one, add a file here and a line to the list. */
export interface Call {
  method: 'GET' | 'POST';
  /** Below `/api/`. */
  path: string;
  /** Whether it is answered without a token. */
  isOpen?: true;
  answer: (tx: Transaction, request: { body: Body; query: Readonly<Record<string, string>>; at: string }) => Answer;
}
