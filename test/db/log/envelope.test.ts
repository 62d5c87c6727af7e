import { describe, expect, it } from 'vitest';

import { usableEnvelope } from '../../../src/db/log/rows.ts';

const whole = {
  msg_type: 'heartbeat',
  sender: 'a',
  namespace: 'n',
  execution_id: 'e-1',
  run_id: '7',
  timestamp: '2026-11-28T10:00:00Z',
  message_id: 'm-1',
};

describe('a body of an unknown kind', () => {
  it('has an envelope made from its fields', () => {
    expect(usableEnvelope({ ...whole, more: 1 }, 'unreadable')).toEqual(whole);
  });

  it.each([null, 7, true, '', ['a'], { a: 1 }])('loses envelope fields that are not text: %j', (value) => {
    for (const field of ['sender', 'namespace', 'execution_id', 'run_id', 'timestamp', 'message_id'] as const)
      expect(usableEnvelope({ ...whole, [field]: value }, 'unreadable')).toEqual({ ...whole, [field]: undefined });
    expect(usableEnvelope({ ...whole, msg_type: value }, 'unreadable')).toMatchObject({ msg_type: 'unreadable' });
  });

  it('has its type cut to 50 characters, and other fields to 200', () => {
    const long = 'x'.repeat(1000);
    expect(usableEnvelope({ msg_type: long, sender: long }, 'unreadable')).toMatchObject({
      msg_type: 'x'.repeat(50),
      sender: 'x'.repeat(200),
    });
    expect(usableEnvelope({}, long)).toMatchObject({ msg_type: 'x'.repeat(50), sender: undefined });
  });
});
