import { describe, expect, it } from 'vitest';

import { keepBody, keepText } from '../../src/observed/body.ts';

describe('a body is kept', () => {
  it.each([
    ['{"b": 1, "a": [1.50, true, null, "x y"]}', { b: 1, a: [1.5, true, null, 'x y'] }],
    ['{"tick": 18.800000000000004, "at": 1786025660.123}', { tick: 18.800000000000004, at: 1786025660.123 }],
    [String.raw`{"e": "\u00e9\/"}`, { e: 'é/' }],
    ['{"n": 9007199254740991, "z": -0, "e": 1E3}', { n: 9007199254740991, z: 0, e: 1000 }],
    ['[1, 2]', [1, 2]],
    ['"word"', 'word'],
    ['{}', {}],
    ['{"n": [-1, 0, 9, 10, 0.5, 100000000000000000000e-20]}', { n: [-1, 0, 9, 10, 0.5, 1] }],
    ['{"zeros": 0.0010000000000000000000000}', { zeros: 0.001 }],
    ['{"e": 12345678901e-5}', { e: 123456.78901 }],
    ['\t{"a"\n:\r\n1}', { a: 1 }],
  ])('as JSON if JSON keeps all of it: %s', (text, body) => {
    expect(JSON.stringify(keepText(text))).toBe(JSON.stringify({ body }));
  });

  it.each([
    ['not JSON', 'slice done'],
    ['truncated JSON', '{"msg_type": "slice"'],
    ['JSON with a key that comes twice', '{"a": 1, "a": 2}'],
    ['JSON with keys that JavaScript reorders', '{"b": 1, "10": 2, "9": 3}'],
    ['JSON with a number beyond 2^53', '{"id": 9007199254740993}'],
    ['JSON with a number that has more digits than a double', '{"x": 0.12345678901234567891}'],
    ['JSON except for NaN', '{"x": NaN}'],
    ['JSON with a number beyond the range of a double', '{"x": 1e999}'],
    ['JSON with too many levels', `${'['.repeat(5000)}${']'.repeat(5000)}`],
    ['empty', ''],
    ['JSON with a number that has many digits and an exponent', '{"x": 0.123456789012345678e5}'],
  ])('as text if it is %s', (_, text) => {
    expect(keepText(text)).toEqual({ text });
  });

  it('as a size and a digest if it is not text', () => {
    expect(keepBody(Buffer.from([0xff, 0xfe, 0x00]))).toEqual({
      size: 3,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it('as JSON up to a hundred levels deep, and as text beyond that', () => {
    const nested = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;
    expect(keepText(nested(100))).toHaveProperty('body');
    expect(keepText(nested(101))).toEqual({ text: nested(101) });
  });

  it('with its non-ASCII characters, read as UTF-8', () => {
    expect(keepBody(Buffer.from('{"a": "ä"}'))).toEqual({ body: { a: 'ä' } });
  });

  it('without secrets, whether as JSON or as text', () => {
    expect(keepText('{"ejfat_instance_uri": "ejfats://tok@host/x"}')).toEqual({
      body: { ejfat_instance_uri: 'ejfats://***@host/x' },
    });
    expect(keepText('{"token": "abc"')).toEqual({ text: '{"token": ***' });
  });

  it.each([
    ['{"a": 1, "a": 2, "api_tokens": ["S"]}', '{"a":2,"api_tokens":"***"}'],
    [
      String.raw`{"id": 9007199254740993, "api_t\u006fken": "S", "u": "ejfats:\/\/S@host"}`,
      '{"id":9007199254740992,"api_token":"***","u":"ejfats://***@host"}',
    ],
  ])('as text with the secret masked: %s', (text, told) => {
    expect(keepText(text)).toEqual({ text: told });
  });
});
