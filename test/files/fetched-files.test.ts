import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { createFetchedFiles, type FetchWays } from '../../src/files/fetched-files.ts';
import { createCheckedFiles } from '../../src/files/file-io.ts';
import { temporaryFolder } from '../folder.ts';
import { type FileHost, fileHost, refuses, serves } from './file-host.ts';

const content = Buffer.from('the frames of a sample');
const checksum = `sha256:${createHash('sha256').update(content).digest('hex')}`;
const never = new AbortController().signal;

function fetching({ root }: FileHost, { command }: Partial<FetchWays> = {}) {
  const folder = temporaryFolder();
  const path = join(folder, 'a.tf');
  const ways = { sources: { prefixes: [root], token: undefined }, command, environment: process.env };
  const fetched = createFetchedFiles(ways, createCheckedFiles());
  const bring = (more: { checksum?: string | undefined; url?: string } = {}, signal = never): Promise<boolean> =>
    fetched.bring({ url: `${root}a.tf`, path, checksum, ...more }, signal);
  return { folder, path, bring };
}

describe('a fetched file', () => {
  it('is the only file left in its folder, and is not fetched again', async () => {
    const host = await fileHost(serves(content));
    const { folder, path, bring } = fetching(host);
    expect(await bring()).toBe(true);
    expect(readFileSync(path)).toEqual(content);
    expect(readdirSync(folder)).toEqual(['a.tf']);
    expect(await bring()).toBe(true);
    expect(host.asked).toHaveLength(1);
  });

  it('is fetched once for several simultaneous requests', async () => {
    const host = await fileHost(serves(content));
    const { bring } = fetching(host);
    expect(await Promise.all([bring(), bring(), bring()])).toEqual([true, true, true]);
    expect(host.asked).toHaveLength(1);
  });

  it('is requested separately at each address', async () => {
    const host = await fileHost(refuses(404), serves(content));
    const { bring } = fetching(host);
    expect(await Promise.all([bring(), bring({ url: `${host.root}b.tf` })])).toEqual([false, true]);
  });

  it('is missing if its host does not have it', async () => {
    const { bring, path } = fetching(await fileHost(refuses(404)));
    expect(await bring()).toBe(false);
    expect(existsSync(path)).toBe(false);
  });

  it('is rejected if its checksum differs from the announced one, and nothing is left of it', async () => {
    const host = await fileHost(serves(Buffer.from('other frames')));
    const { bring, folder } = fetching(host);
    expect(await bring()).toBe(false);
    expect(readdirSync(folder)).toEqual([]);
    expect(host.asked).toHaveLength(1);
  });

  it.each([[undefined], ['adler32:0123']])('is accepted unchecked if its checksum is %s', async (unknown) => {
    const { bring } = fetching(await fileHost(serves(Buffer.from('any'))));
    expect(await bring({ checksum: unknown })).toBe(true);
  });

  it('is completed from the part that an earlier process left', async () => {
    const host = await fileHost(serves(content));
    const { path, bring } = fetching(host);
    writeFileSync(`${path}.fetched.part`, content.subarray(0, 10));
    expect(await bring()).toBe(true);
    expect(readFileSync(path)).toEqual(content);
    expect(host.asked).toEqual([{ url: '/a.tf', range: 'bytes=10-' }]);
  });

  it('is fetched from the start if the part left behind belongs to another file', async () => {
    const host = await fileHost(serves(content));
    const { path, bring } = fetching(host);
    writeFileSync(`${path}.fetched.part`, 'of another');
    expect(await bring()).toBe(true);
    expect(readFileSync(path)).toEqual(content);
    expect(host.asked).toEqual([{ url: '/a.tf', range: 'bytes=10-' }, { url: '/a.tf' }]);
  });

  it('causes an error that says what to do if its host refuses the request', async () => {
    const { bring } = fetching(await fileHost(refuses(403)));
    await expect(bring()).rejects.toThrow('(403); set SWF_FILES_TOKEN to it');
  });

  it('causes DATA_UNAVAILABLE if its folder is gone', async () => {
    const host = await fileHost(serves(content));
    const path = join(temporaryFolder(), 'gone', 'a.tf');
    const ways = { sources: { prefixes: [host.root], token: undefined }, command: undefined, environment: {} };
    const fetched = createFetchedFiles(ways, createCheckedFiles());
    await expect(fetched.bring({ url: `${host.root}a.tf`, path, checksum }, never)).rejects.toMatchObject({
      code: 'DATA_UNAVAILABLE',
      message: expect.stringContaining('/gone does not exist or cannot be used') as string,
    });
  });
});

describe('a configured fetch command', () => {
  const host = { root: 'https://files.example/', asked: [] };
  const shell = (script: string): string[] => ['sh', '-c', script, 'sh', '{url}', '{path}'];

  it('receives the address and the path as arguments', async () => {
    const { bring, path } = fetching(host, { command: shell('printf "%s" "$1 $0" > "$2"') });
    expect(await bring({ checksum: undefined })).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe('https://files.example/a.tf sh');
  });

  it('does not continue a partial file that an earlier command left', async () => {
    const { bring, path } = fetching(host, { command: shell('printf new >> "$2"') });
    writeFileSync(`${path}.fetched.part`, 'old');
    expect(await bring({ checksum: undefined })).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe('new');
  });

  it.each([
    ['exit 3', 'sh ended with code 3; check data.fetch and the permissions of its program'],
    [
      'echo "no such bucket" >&2; exit 1',
      'sh ended with code 1: no such bucket; check data.fetch and the permissions of its program',
    ],
    ['kill -9 $$', 'sh was killed by SIGKILL; check'],
    ['printf "%0400d" 7 >&2; exit 1', `ended with code 1: ${'0'.repeat(299)}7;`],
  ])('that runs %j and fails is reported with the cause', async (script, why) => {
    const { bring } = fetching(host, { command: shell(script) });
    await expect(bring()).rejects.toThrow(why);
  });

  it('that does not exist is reported', async () => {
    const { bring } = fetching(host, { command: ['/no/such/program', '{url}'] });
    await expect(bring()).rejects.toThrow('/no/such/program could not be run (spawn /no/such/program ENOENT)');
  });

  it('is killed with its child processes when the fetch is aborted', async () => {
    const { bring, folder } = fetching(host, { command: shell('sleep 600 & echo $! > "$2.child"; wait') });
    const child = join(folder, 'a.tf.fetched.part.child');
    const stop = new AbortController();
    const bringing = expect(bring({}, stop.signal)).rejects.toThrow('was killed by SIGKILL');
    await expect.poll(() => existsSync(child) && readFileSync(child, 'utf8')).toMatch(/\d\n/);
    stop.abort();
    await bringing;
    const pid = Number(readFileSync(child, 'utf8'));
    await expect
      .poll(() => existsSync(`/proc/${pid}`) && readFileSync(`/proc/${pid}/stat`, 'utf8'))
      .not.toMatch(/\) [SR] /);
  });

  it('is refused if the fetch is already aborted', async () => {
    const { bring } = fetching(host, { command: shell('sleep 600') });
    await expect(bring({}, AbortSignal.abort())).rejects.toThrow();
  });
});
