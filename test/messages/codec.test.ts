import { describe, expect, it } from 'vitest';

import { decodeMessage, decodeObject, decodeRecorded, fieldOf } from '../../src/messages/codec.ts';

const end = { msg_type: 'end_run', sender: 's', namespace: 'n', execution_id: 'e', total_stf_files: 3 };
const nested = (levels: number): string => `{"namespace":"n","a":${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}}`;

describe('a body', () => {
  it('with one of our messages is read, including unknown fields', () => {
    expect(decodeMessage(JSON.stringify({ ...end, colour: 'blue' }))).toEqual({
      kind: 'message',
      message: expect.objectContaining({ ...end, colour: 'blue' }),
    });
    expect(decodeRecorded(JSON.stringify(end))).toMatchObject(end);
  });

  it('of an unknown type has the kind "unknown"', () => {
    const body = { msg_type: 'hello', sender: 's' };
    expect(decodeObject(body)).toEqual({ kind: 'unknown', body, msg_type: 'hello' });
  });

  it.each([
    ['not JSON: ', '{'],
    ['not a JSON object', '[1]'],
    ['not a JSON object', 'null'],
    ['not a JSON object', '"x"'],
    ['has no msg_type', '{"a":1}'],
    ['has no msg_type', '{"msg_type":""}'],
    ['has no msg_type', '{"msg_type":5}'],
    ['total_stf_files: ', JSON.stringify({ ...end, total_stf_files: 'x' })],
  ])('is rejected: %s', (reason, body) => {
    const decoded = decodeMessage(body);
    expect(decoded).toMatchObject({ kind: 'rejected', reason: expect.stringContaining(reason) });
    expect(() => decodeRecorded(body)).toThrow('a recorded message can no longer be read');
  });

  it('is rejected with a list of all its problems, in at most 500 characters', () => {
    const decoded = decodeObject({ msg_type: 'end_run', sender: 5, namespace: 5, total_stf_files: -1 });
    expect(decoded).toMatchObject({
      kind: 'rejected',
      reason: expect.stringMatching(/sender: .*; namespace: .*; total_stf_files: /),
    });
    const long = decodeObject({ msg_type: 'slice', sender: 'x'.repeat(300), namespace: 'y'.repeat(300) });
    expect((long as { reason: string }).reason).toHaveLength(500);
  });

  it('nested deeper than a hundred levels is rejected, but keeps its namespace', () => {
    expect(decodeMessage(nested(99))).toMatchObject({ kind: 'rejected', reason: 'has no msg_type' });
    expect(decodeMessage(nested(100))).toEqual({
      kind: 'rejected',
      reason: 'nested deeper than 100 levels',
      body: { namespace: 'n' },
    });
    expect(decodeMessage(nested(100).replace('"namespace":"n"', '"namespace":5'))).toMatchObject({ body: {} });
    expect(decodeMessage(`{"a":[${'['.repeat(99)}${']'.repeat(99)}]}`)).toMatchObject({
      reason: 'nested deeper than 100 levels',
    });
  });

  it('yields its namespace and type only if they are strings', () => {
    expect(fieldOf(decodeObject(end), 'namespace')).toBe('n');
    expect(fieldOf(decodeObject({ msg_type: 'x', namespace: 'm' }), 'namespace')).toBe('m');
    expect(fieldOf(decodeObject({ namespace: 5 }), 'namespace')).toBeUndefined();
    expect(fieldOf(decodeMessage('{'), 'msg_type')).toBeUndefined();
    expect(fieldOf(decodeObject({ msg_type: 'x' }), 'msg_type')).toBe('x');
  });
});
