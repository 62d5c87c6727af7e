import { describe, expect, it } from 'vitest';

import { type ByteRange, isReachable, readByHttp } from '../../src/files/http-reader.ts';
import { useFastTime } from '../fast-time.ts';
import { breaksAfter, type FileHost, fileHost, refuses, serves } from './file-host.ts';

const content = Buffer.from('0123456789abcdefghij');
const never = new AbortController().signal;

const reaches = ({ root }: FileHost, prefixes: string[]): Promise<boolean> =>
  isReachable({ prefixes, token: undefined }, `${root}a.tf`);

async function read(
  { root }: FileHost,
  { range = { start: 0 }, token, url = `${root}a.tf`, prefixes = [root], signal = never }: Options = {},
): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readByHttp({ prefixes, token }, url, range, signal)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

interface Options {
  range?: ByteRange;
  token?: string;
  url?: string;
  prefixes?: string[];
  signal?: AbortSignal;
}

// A silent server is given up after 20 s.
useFastTime(200);

describe('a file on another host', () => {
  it('is read whole, without a range, and without a token if none is set', async () => {
    const host = await fileHost(serves(content));
    expect(await read(host)).toBe('0123456789abcdefghij');
    expect(host.asked).toEqual([{ url: '/a.tf' }]);
  });

  it.each<[ByteRange, string, string]>([
    [{ start: 3, end: 7 }, 'bytes=3-6', '3456'],
    [{ start: 0, end: 4 }, 'bytes=0-3', '0123'],
    [{ start: 15 }, 'bytes=15-', 'fghij'],
  ])('is read in the range %j', async (range, header, bytes) => {
    const host = await fileHost(serves(content));
    expect(await read(host, { range, token: 'secret' })).toBe(bytes);
    expect(host.asked).toEqual([{ url: '/a.tf', range: header, authorization: 'Bearer secret' }]);
  });

  it('is cut to the requested range if its server ignores ranges', async () => {
    const host = await fileHost((response) => {
      for (const byte of content) response.write(Buffer.from([byte]));
      response.end();
    });
    expect(await read(host, { range: { start: 3, end: 7 } })).toBe('3456');
    expect(await read(host, { range: { start: 18 } })).toBe('ij');
  });

  it('is read as empty if the range starts at its end', async () => {
    const host = await fileHost(serves(content));
    expect(await read(host, { range: { start: 20 } })).toBe('');
  });

  it('is read on from the point where the connection broke, if the file is unchanged', async () => {
    const same = { etag: '"one"' };
    const host = await fileHost(breaksAfter(6, content, same), breaksAfter(6, content, same), serves(content, same));
    expect(await read(host)).toBe('0123456789abcdefghij');
    expect(host.asked).toEqual([
      { url: '/a.tf' },
      { url: '/a.tf', range: 'bytes=6-', ifRange: '"one"' },
      { url: '/a.tf', range: 'bytes=12-', ifRange: '"one"' },
    ]);
  });

  it('is never pieced together from two versions', async () => {
    const host = await fileHost(breaksAfter(6, content, { etag: '"one"' }), serves(content, { etag: '"two"' }));
    await expect(read(host)).rejects.toThrow(
      `${host.root}a.tf cannot be fetched: it changed while it was being read; check what writes it: data files must not change`,
    );
  });

  it('is read on without If-Range if its ETag is weak', async () => {
    const weak = { etag: 'W/"one"' };
    const host = await fileHost(breaksAfter(6, content, weak), serves(content, { etag: 'W/"two"' }));
    expect(await read(host)).toBe('0123456789abcdefghij');
    expect(host.asked[1]).toEqual({ url: '/a.tf', range: 'bytes=6-' });
  });

  it.each([408, 429, 500, 503])('is requested again after the temporary status %i', async (status) => {
    const host = await fileHost(refuses(status), serves(content));
    expect(await read(host)).toBe('0123456789abcdefghij');
  });

  it('is abandoned after five tries without data, with the last reason', async () => {
    const host = await fileHost(refuses(503));
    await expect(read(host)).rejects.toMatchObject({
      code: 'DATA_UNAVAILABLE',
      message: `${host.root}a.tf cannot be fetched: its server cannot be reached (it returned status 503); check whether it is running and whether the network lets the request through`,
    });
    expect(host.asked).toHaveLength(5);
  });

  it('is not abandoned while each try delivers data', async () => {
    const host = await fileHost(breaksAfter(2, content));
    expect(await read(host)).toBe('0123456789abcdefghij');
    expect(host.asked).toHaveLength(10);
  });

  it('is abandoned if its server does not answer', async () => {
    const host = await fileHost(() => {});
    await expect(read(host)).rejects.toThrow('(it sent nothing for 20 s)');
  });

  it('is abandoned if its server stops in the middle of the file', async () => {
    const host = await fileHost((response) => void response.writeHead(200).write('0123'));
    await expect(read(host)).rejects.toThrow('(it sent nothing for 20 s)');
  });

  it('causes an error with the reason if no server answers', async () => {
    const url = 'http://127.0.0.1:1/a.tf';
    const none = { root: 'http://127.0.0.1:1/', asked: [] };
    await expect(read(none, { url })).rejects.toThrow(/its server cannot be reached \(.+\); check/);
  });

  it.each([
    [401, 'the server requires its token (401); set SWF_FILES_TOKEN to it'],
    [403, 'the server requires its token (403); set SWF_FILES_TOKEN to it'],
    [404, 'it was not found (404); check whether its host publishes the right folder'],
    [410, 'it was not found (410); check whether its host publishes the right folder'],
    [418, 'the server answered with status 418; check its log'],
  ])('is requested only once if the status is %i', async (status, why) => {
    const host = await fileHost(refuses(status));
    await expect(read(host)).rejects.toThrow(`${host.root}a.tf cannot be fetched: ${why}`);
    expect(host.asked).toHaveLength(1);
  });

  it('is not read if the read is already aborted', async () => {
    const host = await fileHost(() => {});
    await expect(read(host, { signal: AbortSignal.abort(new Error('stopped')) })).rejects.toThrow('stopped');
  });
});

describe('an address of a file', () => {
  it('outside the sources is not requested, and the error says what to add', async () => {
    const host = await fileHost(serves(content));
    const prefixes = ['https://files.example/'];
    await expect(read(host, { prefixes })).rejects.toThrow(
      `it is not in data.sources; add it: --set 'data.sources=["https://files.example/","${new URL(host.root).origin}`,
    );
    expect(host.asked).toEqual([]);
  });

  it('may redirect within the allowed sources, at most five times', async () => {
    const on = refuses(302, { location: '/b.tf' });
    const host = await fileHost(on, on, on, on, on, serves(content));
    expect(await read(host)).toBe('0123456789abcdefghij');
    expect(host.asked.map(({ url }) => url)).toEqual(['/a.tf', ...Array.from({ length: 5 }, () => '/b.tf')]);
    const circle = await fileHost(on);
    await expect(read(circle)).rejects.toThrow('it redirects more than 5 times; check its server');
    expect(circle.asked).toHaveLength(6);
  });

  it('is not followed if it redirects outside the allowed sources', async () => {
    const other = await fileHost(serves(content));
    const host = await fileHost(refuses(307, { location: `${other.root}b.tf` }));
    await expect(read(host, { token: 'secret' })).rejects.toThrow(
      `it redirects to ${other.root}b.tf, which is not in data.sources`,
    );
    expect(other.asked).toEqual([]);
  });

  it('is refused if it redirects without a location', async () => {
    const host = await fileHost(refuses(302));
    await expect(read(host)).rejects.toThrow('the server answered with status 302');
  });
});

describe('a file host', () => {
  it.each([
    [200, true],
    [404, true],
    [401, false],
    [503, false],
  ])('that answers with status %i is reachable: %s', async (status, reachable) => {
    const host = await fileHost(status === 200 ? serves(content) : refuses(status));
    expect(await reaches(host, [host.root])).toBe(reachable);
    expect(host.asked[0]).toMatchObject({ range: 'bytes=0-0' });
  });

  it('that is not among the sources is not reachable', async () => {
    const host = await fileHost(serves(content));
    expect(await reaches(host, [])).toBe(false);
  });
});
