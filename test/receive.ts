import type { Circumstances, Recorded } from '../src/db/log/rows.ts';
import type { Store } from '../src/db/opening/store.ts';
import type { Transaction } from '../src/db/sqlite/transaction.ts';
import { decodeMessage } from '../src/messages/codec.ts';

/** Records a body as it comes from outside. */
export type Receive = (tx: Transaction, destination: string, body: string, circumstances?: Circumstances) => Recorded;

export const receiverOf =
  ({ messages }: Store): Receive =>
  (tx, destination, body, circumstances) =>
    messages.recordReceived(tx, { destination, body, decoded: decodeMessage(body) }, circumstances);
