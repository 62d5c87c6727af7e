import { createHash, randomUUID } from 'node:crypto';

import type { Delivery } from '../broker/connection.ts';
import { readMessage } from '../db/execution/log-reader.ts';
import { requestsInHand } from '../db/presence/requests-in-hand.ts';
import type { Prepare } from '../db/sqlite/statements.ts';

/** The identity of a control queue request without its own `command_id`. */
export interface RequestIdentity {
  /** The same at each delivery. */
  id: string;
  /** Whether it was taken before, and is delivered again. */
  isTaken: boolean;
  /** Whether only its words say so. */
  isGuess: boolean;
}

/**
 * Recognizes a redelivered request, so that it makes one execution. A broker without its own ids (RabbitMQ) says only that it has delivered a message
 * before: a message with the words of a request that was taken, and whose acknowledgement the broker has not confirmed, is that request.
 */
export function identifyRequest(sql: Prepare, namespace: string, { id, headers, body }: Delivery): RequestIdentity {
  if (id !== undefined) return { id, isTaken: isRecorded(sql, id), isGuess: false };
  const words = createHash('sha256').update(body).digest('hex').slice(0, 16);
  const before =
    headers['redelivered'] === 'true'
      ? requestsInHand(sql, namespace).find((taken) => taken.startsWith(`${words}/`))
      : undefined;
  if (before === undefined) return { id: `${words}/${randomUUID()}`, isTaken: false, isGuess: false };
  return { id: before, isTaken: isRecorded(sql, before), isGuess: true };
}

const isRecorded = (sql: Prepare, id: string): boolean => readMessage(sql, `run_workflow/${id}`) !== undefined;
