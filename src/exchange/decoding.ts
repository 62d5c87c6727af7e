import type { Delivery } from '../broker/connection.ts';
import { onceFor } from '../lib/once-for.ts';
import { type Decoded, decodeMessage } from '../messages/codec.ts';

/** Reads a delivery in the workflow's own vocabulary, only once. Never throws. Rejects an oversized body, since its beginning must not pass for a message. */
export const decodedOf = onceFor((delivery: Delivery): Decoded =>
  delivery.isWhole ? decodeMessage(delivery.body) : tooLarge(delivery.size),
);

const tooLarge = (bytes: number): Decoded => ({
  kind: 'rejected',
  reason: `a body of ${bytes} bytes is too large; its beginning is kept`,
  body: {},
});
