import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { createFilesApp } from '../../src/http/files-app.ts';
import { temporaryFolder } from '../folder.ts';
import { listening } from './listening.ts';

async function serve(token?: string) {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'run-1', 'sub'), { recursive: true });
  mkdirSync(join(folder, '.hidden'));
  for (const name of [
    'run-1/a.tf',
    'run-1/.marker',
    'run-1/b.tf.part',
    'run-1/c.fetching',
    'run-1/sub/d.tf',
    '.hidden/a.tf',
  ])
    writeFileSync(join(folder, name), '0123456789');
  writeFileSync(join(folder, 'secret'), 'secret');
  symlinkSync(join(folder, 'secret'), join(folder, 'run-1', 'link.tf'));
  symlinkSync(join(folder, 'run-1'), join(folder, 'run-2'));
  const root = await listening(createFilesApp({ folder, token }));
  const ask = async (path: string, headers: Record<string, string> = {}, method = 'GET') => {
    const response = await fetch(`${root}${path}`, { method, headers });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  return { folder, root, ask };
}

const secret = { authorization: 'Bearer secret' };

describe('published files', () => {
  it('are served whole and in ranges, with an ETag that changes with the file', async () => {
    const { ask, folder } = await serve();
    const whole = await ask('/run-1/a.tf');
    expect([whole.status, whole.text, whole.headers.get('content-type')]).toEqual([
      200,
      '0123456789',
      'application/octet-stream',
    ]);
    expect([whole.headers.get('cache-control'), whole.headers.get('x-content-type-options')]).toEqual([
      'no-store',
      'nosniff',
    ]);
    expect([whole.headers.get('x-powered-by'), whole.headers.get('accept-ranges')]).toEqual([null, 'bytes']);
    const etag = whole.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[\da-z]+-a-[\da-z]+"$/);
    const part = await ask('/run-1/a.tf', { range: 'bytes=2-4', 'if-range': etag });
    expect([part.status, part.text]).toEqual([206, '234']);
    const past = await ask('/run-1/a.tf', { range: 'bytes=10-' });
    expect([past.status, past.text, past.headers.get('content-range')]).toEqual([
      416,
      'the file does not have these bytes\n',
      'bytes */10',
    ]);
    utimesSync(join(folder, 'run-1', 'a.tf'), 0, 0);
    const other = await ask('/run-1/a.tf', { range: 'bytes=2-4', 'if-range': etag });
    expect([other.status, other.text]).toEqual([200, '0123456789']);
    expect(other.headers.get('etag')).not.toBe(etag);
  });

  it.each([
    '/run-1/none.tf',
    '/none/a.tf',
    '/run-1/.marker',
    '/.hidden/a.tf',
    '/run-1/b.tf.part',
    '/run-1/c.fetching',
    '/run-1/link.tf',
    '/run-2/a.tf',
    '/run-1/sub',
    '/run-1/..%2Fsecret',
    '/run-1/sub%2Fd.tf',
    `/run-1/${'a'.repeat(256)}`,
  ])('do not include %.30s', async (path) => {
    const { status, text } = await (await serve()).ask(path);
    expect([status, text]).toEqual([404, 'there is no such file here\n']);
  });

  it.each(['/', '/run-1', '/run-1/sub/d.tf'])('are not served at other addresses, such as %s', async (path) => {
    const { status, text, headers } = await (await serve()).ask(path);
    expect([status, text]).toEqual([404, 'there is nothing here; files are at /EXECUTION_ID/FILENAME\n']);
    expect(headers.get('content-type')).toBe('text/plain; charset=utf-8');
  });

  it('requested at an invalid address lead to an error that reveals no local path', async () => {
    const { status, text } = await (await serve()).ask('/%zz/a.tf');
    expect([status, text]).toEqual([400, 'the address cannot be read\n']);
  });

  it('can only be read', async () => {
    const { ask } = await serve();
    const { status, headers, text } = await ask('/run-1/a.tf', {}, 'DELETE');
    expect([status, headers.get('allow'), text]).toEqual([405, 'GET, HEAD', 'files can only be read\n']);
    expect(await ask('/run-1/a.tf', {}, 'HEAD')).toMatchObject({ status: 200, text: '' });
  });

  it('require the token if there is one', async () => {
    const { ask } = await serve('secret');
    expect((await ask('/healthz')).text).toBe('{"status":"ok"}');
    for (const authorization of ['Bearer secret', 'bearer   secret  '])
      expect((await ask('/run-1/a.tf', { authorization })).text).toBe('0123456789');
    for (const authorization of ['', 'Bearer secre', 'Basic secret', 'Basic Bearer secret', 'Bearer secret more']) {
      const headers = authorization === '' ? {} : { authorization };
      const { status, text, headers: given } = await ask('/run-1/a.tf', headers);
      expect([status, given.get('www-authenticate')]).toEqual([401, 'Bearer']);
      expect(text).toBe('send "Authorization: Bearer …" with the value of SWF_FILES_TOKEN\n');
    }
    expect((await ask('/run-1/a.tf', secret, 'POST')).status).toBe(405);
    expect((await ask('/run-1/a.tf', {}, 'POST')).status).toBe(401);
  });

  it.each([
    [undefined, 403],
    ['secret', 200],
  ])('requested with the token %s under a foreign host name get status %i', async (token, wanted) => {
    const { root } = await serve(token);
    const status = await new Promise((resolve, reject) => {
      request(`${root}/healthz`, { headers: { host: 'files.example' } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(wanted);
  });
});
