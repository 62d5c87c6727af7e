import { createHash, randomUUID } from 'node:crypto';

import type { Delivery } from '../broker/connection.ts';
import { readMessage } from '../db/execution/log-reader.ts';
import { requestsInHand } from '../db/presence/requests-in-hand.ts';
import type { Prepare } from '../db/sqlite/statements.ts';

/** A request of the control queue, as far as it has no `command_id` of its own. */
export interface RequestIdentity {
  /** The same at each delivery. */
  id: string;
  /** Whether it has been taken, and is delivered again. */
  isTaken: boolean;
  /** Whether nothing but its words says so. */
  isGuess: boolean;
}

/**
 * Knows a request that is delivered again, so that it makes one execution. A broker that has no ids of its own (RabbitMQ) says only that it
 * has delivered a message before: one with the words of a request that was taken, and of which the broker has not confirmed the acknowledgement, is
 * that request.
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
