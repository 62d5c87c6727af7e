import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { noDataFiles as files } from '../../src/files/data-files.ts';
import { NoSuchFile, NotFetched } from '../../src/files/http-reader.ts';
import { seeSharedFile } from '../../src/remote/data-access.ts';
import { pass, stopTime } from '../still-time.ts';
import { execution_id } from './line.ts';

/** The answer of the disk to a read: the code of an error, or undefined if the file is there. */
let disk: (path: string) => string | undefined;

beforeEach(() => {
  vi.spyOn(promises, 'access').mockImplementation((path) => {
    const code = disk(path as string);
    if (code === undefined) return Promise.resolve();
    return Promise.reject(Object.assign(new Error('the disk refuses'), code === '' ? {} : { code }));
  });
  syncBuiltinESMExports();
});

afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

const place = { execution_id, filename: 'a.stf', file_url: 'file:///srv/a.stf', storeId: 's1' };

const never = new AbortController().signal;

/** Looks for a file, and returns the outcome. */
function look(more: object = {}, access: object = {}) {
  stopTime();
  const over = new AbortController();
  let end: unknown = 'waits';
  void seeSharedFile({ files, folder: '/data/x', ...access }, { ...place, ...more }, [never, over.signal]).then(
    () => (end = 'seen'),
    (error: unknown) => (end = error),
  );
  return { end: () => end, giveUp: () => over.abort() };
}

describe('a file in a folder shared with the recorder', () => {
  it('is waited for, since a network disk may show it late', async () => {
    const asked: string[] = [];
    disk = (path) => (asked.push(path) > 6 ? undefined : 'ENOENT');
    const { end } = look();
    await pass(2.5, 0.5);
    expect([end(), asked.length]).toEqual(['waits', 6]);
    await pass(0.5, 0.5);
    expect(end()).toBe('seen');
    expect(new Set(asked)).toEqual(new Set(['/data/x/a.stf']));
  });

  it('is abandoned after five seconds, with an error that names its address', async () => {
    disk = () => 'ENOENT';
    const { end } = look();
    await pass(4.5, 0.5);
    expect(end()).toBe('waits');
    await pass(0.5, 0.5);
    expect(end()).toBeInstanceOf(NoSuchFile);
    expect((end() as Error).message).toBe(
      'file:///srv/a.stf cannot be fetched: it does not exist (ENOENT); check whether it is the right folder',
    );
  });

  it('is abandoned immediately once the work on it has ended', async () => {
    disk = () => 'ENOENT';
    const { end, giveUp } = look();
    await pass(0.5, 0.5);
    giveUp();
    await pass(0.01);
    expect(end()).toBeInstanceOf(NoSuchFile);
  });

  it.each([
    ['EACCES', NotFetched, 'a.stf cannot be fetched: this user may not read it (EACCES); fix its permissions'],
    ['EPERM', NotFetched, 'a.stf cannot be fetched: this user may not read it (EPERM); fix its permissions'],
    ['EIO', NoSuchFile, 'a.stf cannot be fetched: it does not exist (EIO); check whether it is the right folder'],
    ['', NoSuchFile, 'a.stf cannot be fetched: it does not exist (unreadable); check whether it is the right folder'],
  ])('is not waited for if waiting does not help: %j', async (code, kind, message) => {
    disk = () => code;
    const { end } = look({ file_url: undefined });
    await pass(0.01);
    expect(end()).toBeInstanceOf(kind);
    expect(end() instanceof NoSuchFile).toBe(kind === NoSuchFile);
    expect((end() as Error).message).toBe(message);
  });

  it.each<[string, object, object]>([
    ['nothing was written', {}, { folder: undefined }],
    ['it is fetched from another host', {}, { bring: () => Promise.resolve(true) }],
    ['the message names no file', { filename: '' }, {}],
  ])('is not looked for if %s', async (_, more, access) => {
    disk = () => 'EIO';
    const { end } = look(more, access);
    await pass(0.01);
    expect(end()).toBe('seen');
  });
});
