import { createHash, randomUUID } from 'node:crypto';

import type { Delivery } from '../broker/connection.ts';
import { readMessage } from '../db/execution/log-reader.ts';
import type { Prepare } from '../db/sqlite/statements.ts';
import { messageIdOf } from '../messages/identity.ts';
import type { Message } from '../messages/message.ts';

/**
 * The id of a request that has none of its own. It is the same when the request is delivered again, so that it makes one execution (contract §2). A broker
 * that has no ids of its own (RabbitMQ) says only that it has delivered a message before: one with the words of the request that was taken last, and of
 * which the broker has not confirmed the acknowledgement, is that request.
 * @param inHand the id of that request
 */
export function requestId({ id, headers, body }: Delivery, inHand: string | undefined): string {
  if (id !== undefined) return id;
  const words = createHash('sha256').update(body).digest('hex').slice(0, 16);
  const isAgain = headers['redelivered'] === 'true' && inHand?.startsWith(`${words}/`) === true;
  return isAgain ? inHand : `${words}/${randomUUID()}`;
}

/**
 * Whether a request has been taken before. It is not compared with what is recorded: the service fills in what it lacks, such as the time, and may
 * do so in another way by now.
 * @param id what `requestId` says
 */
export const isTakenBefore = (
  sql: Prepare,
  command: Message<'run_workflow'>,
  id: string,
  { headers }: Delivery,
): boolean =>
  (command.command_id === id || headers['redelivered'] === 'true') &&
  readMessage(sql, messageIdOf(command)) !== undefined;
