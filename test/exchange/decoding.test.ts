import { expect, it } from 'vitest';

import type { Delivery } from '../../src/broker/connection.ts';
import { decodedOf } from '../../src/exchange/wire.ts';

const delivery = (body: string, isWhole = true): Delivery => ({
  headers: {},
  id: undefined,
  body,
  bytes: Buffer.from(body),
  size: isWhole ? body.length : 2_000_000,
  isWhole,
  lost: new AbortController().signal,
  acknowledge: () => {},
  giveBack: () => {},
});

it('a delivery is decoded once, however often it is requested', () => {
  const one = delivery('{"msg_type":"hello","sender":"x"}');
  expect(decodedOf(one)).toMatchObject({ kind: 'unknown', msg_type: 'hello' });
  expect(decodedOf(one)).toBe(decodedOf(one));
});

it('a body that is too large is rejected, even if the part that was kept is a valid message', () => {
  expect(decodedOf(delivery('{"msg_type":"hello"}', false))).toEqual({
    kind: 'rejected',
    reason: 'a body of 2000000 bytes is too large; only the beginning was kept',
    body: {},
  });
});
