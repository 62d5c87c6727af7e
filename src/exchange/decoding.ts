import type { Delivery } from '../broker/connection.ts';
import { onceFor } from '../lib/once-for.ts';
import { type Decoded, decodeMessage } from '../messages/codec.ts';

/** Reads a delivery in the workflow's own vocabulary, only once. Never throws. Rejects an oversized body, since its beginning must not pass for a message. */
export const decodedOf = onceFor((delivery: Delivery): Decoded => {
  if (delivery.isWhole) return decodeMessage(delivery.body);
  return refused(`a body of ${delivery.size} bytes is too large; its beginning is kept`);
});

/** A refused message is identified by its body alone: it must not pass for a message of the execution that it names. */
export const refused = (reason: string): Decoded => ({ kind: 'rejected', reason, body: {} });
