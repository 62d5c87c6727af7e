import { describe, expect, it } from 'vitest';

import { maskText, maskValue } from '../../src/observed/body.ts';

describe('a mask', () => {
  it.each([
    ['ejfats://abc123@ejfat-lb.es.net:18040/lb/68', 'ejfats://***@ejfat-lb.es.net:18040/lb/68'],
    ['see https://me:pw@host/x and ftp://u@h', 'see https://***@host/x and ftp://***@h'],
    ['stomp://me:p@ss@host:61613', 'stomp://***@host:61613'],
    ['Authorization: Token 0123456789abcdef', 'Authorization: ***'],
    ['Authorization: Bearer abc.def', 'Authorization: ***'],
    ['{"token": "abc", "x": 1', '{"token": ***, "x": 1'],
    [String.raw`{\"api_token\": \"a b\", \"x\"`, String.raw`{\"api_token\": ***, \"x\"`],
    ['?user=me&access_token=abc&x=1', '?user=me&access_token=***&x=1'],
    ["password='hunter 2', next", 'password=***, next'],
    ['root://host//path/with@sign', 'root://host//path/with@sign'],
    ['mail me@host.org', 'mail me@host.org'],
    ['swf.101993.000001.stf', 'swf.101993.000001.stf'],
  ])('turns %s into %s', (text, masked) => {
    expect(maskText(text)).toBe(masked);
  });

  it('replaces any value whose key names a secret, and keeps the order of keys', () => {
    const value = {
      b: 1,
      API_TOKEN: { a: 1 },
      password: null,
      list: [{ Secret: ['x'] }, 'ejfat://t@h'],
      authorization: '',
    };
    expect(JSON.stringify(maskValue(value))).toBe(
      '{"b":1,"API_TOKEN":"***","password":null,"list":[{"Secret":"***"},"ejfat://***@h"],"authorization":""}',
    );
  });

  it.each(['a', '://', 'token:', 'token="', 'password = ', 'x://'])(
    'handles 100,000 repetitions of %s within ten seconds of processor time',
    (part) => {
      const before = process.cpuUsage();
      maskText(part.repeat(100_000));
      expect(process.cpuUsage(before).user / 1_000_000).toBeLessThan(10);
    },
  );
});
