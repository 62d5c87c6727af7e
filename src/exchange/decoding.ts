import type { Delivery } from '../broker/connection.ts';
import { type Decoded, decodeMessage } from '../messages/codec.ts';

const readBefore = new WeakMap<Delivery, Decoded>();

/** Reads a delivery in the workflow's own vocabulary, only once. Never throws. Rejects an oversized body, since its beginning must not pass for a message. */
export function decodedOf(delivery: Delivery): Decoded {
  const known = readBefore.get(delivery);
  if (known !== undefined) return known;
  const decoded = delivery.isWhole ? decodeMessage(delivery.body) : tooLarge(delivery.size);
  readBefore.set(delivery, decoded);
  return decoded;
}

const tooLarge = (bytes: number): Decoded => ({
  kind: 'rejected',
  reason: `a body of ${bytes} bytes is too large; its beginning is kept`,
  body: {},
});
