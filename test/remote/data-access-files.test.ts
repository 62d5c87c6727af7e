import { existsSync, mkdirSync, readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { noDataFiles } from '../../src/files/data-files.ts';
import type { DataAccess, FilePlace } from '../../src/remote/data-access.ts';
import { fileHost, refuses, serves } from '../files/file-host.ts';
import { temporaryFolder } from '../folder.ts';
import { access, type Data, filename, folderWith, here, place, reached, there } from './data-access-setup.ts';
import { execution_id } from './line.ts';

const shared = folderWith();

describe('a file within reach', () => {
  it('has neither data files nor a folder if nothing was written', () => {
    expect(access({ dir: shared }).access.of(place(undefined))).toEqual({ files: noDataFiles, folder: undefined });
  });

  it('is read from its folder, and has the published address or else a file URL', async () => {
    const facts = { tf_count: 1, frameBytes: 8 };
    for (const [url, address] of [
      [undefined, `file://${join(shared, execution_id, filename)}`],
      ['http://here/data', `http://here/data/${execution_id}/${filename}`],
    ]) {
      const { access: at } = access({ dir: shared, ...(url === undefined ? {} : { url }) });
      const found = reached(at.of(place(here)));
      expect([found.folder, 'bring' in found]).toEqual([join(shared, execution_id), false]);
      expect((await found.files.measure(filename, facts))?.file_url).toBe(address);
    }
  });

  it('is opened once per execution, and stays open for the two hundred executions used most recently', () => {
    const { access: at } = access({ dir: shared });
    const filesOf = (id: string) => reached(at.of(place(here, { execution_id: id }))).files;
    const first = filesOf('x-1');
    for (let n = 2; n <= 200; n += 1) filesOf(`x-${n}`);
    expect(filesOf('x-1')).toBe(first);
    filesOf('x-201');
    expect(filesOf('x-2')).not.toBe(first);
    expect(filesOf('x-201')).toBe(filesOf('x-201'));
    expect(filesOf('x-1')).toBe(first);
  });

  it('cannot be read if its folder cannot be created, and the reason is given', () => {
    const dir = join(shared, execution_id, filename);
    const { access: at } = access({ dir, sources: ['http://there:1/'] });
    expect(at.of(place(there))).toEqual({
      obstacle: expect.stringMatching(/^the data folder \S+a\.stf does not exist or cannot be used/),
    });
  });
});

describe('a file on another host', () => {
  const never = new AbortController().signal;
  const checksum = `sha256:${'0'.repeat(64)}`;

  it('is fetched with the token into the folder of its execution, and rejected if its checksum differs', async () => {
    const host = await fileHost(serves(Buffer.from('fetched')));
    const dir = join(temporaryFolder(), 'made');
    const { access: at } = access({ dir, sources: [host.root] }, { SWF_FILES_TOKEN: 'secret-token' });
    const found = reached(at.of(place(`${host.root}x/${filename}`)));
    expect(await found.bring?.(undefined, never)).toBe(true);
    expect(readFileSync(join(dir, execution_id, filename), 'utf8')).toBe('fetched');
    expect(host.asked).toEqual([expect.objectContaining({ authorization: 'Bearer secret-token' })]);
    // A file with another checksum than the announced one is refused.
    expect(await found.bring?.(checksum, never)).toBe(false);
  });

  it('never replaces a recorder’s own file, even one with a wrong checksum', async () => {
    const host = await fileHost(serves(Buffer.from('fetched')));
    const dir = folderWith('another');
    const { access: at } = access({ dir, sources: [host.root] });
    const { bring } = reached(at.of(place(`${host.root}x/${filename}`)));
    expect([await bring?.(undefined, never), await bring?.(checksum, never)]).toEqual([true, false]);
    expect([readFileSync(join(dir, execution_id, filename), 'utf8'), host.asked]).toEqual(['recorded', []]);
  });

  it.each(['drained', 'over'])('is no longer fetched once the work is %s', async (what) => {
    const host = await fileHost(() => {});
    const { access: at, drain } = access({ dir: temporaryFolder(), sources: [host.root] });
    const { bring } = reached(at.of(place(`${host.root}x/${filename}`)));
    const over = new AbortController();
    const fetched = bring?.(undefined, over.signal);
    if (what === 'drained') drain();
    else over.abort();
    await expect(fetched).rejects.toThrow();
  });

  it('is fetched by the configured command, which receives the token and no other secret', async () => {
    const dir = temporaryFolder();
    const secrets = { SWF_FILES_TOKEN: 'mine', ACTIVEMQ_PASSWORD: 'hidden', PATH: process.env['PATH'] };
    const fetch = ['sh', '-c', 'printf "%s/%s" "$SWF_FILES_TOKEN" "$ACTIVEMQ_PASSWORD" > "$1"', 'sh', '{path}'];
    const { access: at } = access({ dir, sources: ['root://there/'], fetch }, secrets);
    expect(await reached(at.of(place(`root://there/x/${filename}`))).bring?.(undefined, never)).toBe(true);
    expect(readFileSync(join(dir, execution_id, filename), 'utf8')).toBe('mine/');
  });

  it.each(['with a blank', 'mit-Ümlaut'])('cannot be fetched with a token that is invalid in a header: %s', (token) => {
    expect(() => access({}, { SWF_FILES_TOKEN: token })).toThrow(
      'SWF_FILES_TOKEN contains a space or another character that is not allowed in a header; choose another token',
    );
    expect(() => access({}, { SWF_FILES_TOKEN: '' })).not.toThrow();
  });
});

describe('a place that was out of reach', () => {
  it('is reachable again when its folder is back or its host answers', async () => {
    const host = await fileHost(refuses(404));
    const dir = join(temporaryFolder(), 'made');
    const at = (data: Data) => access({ dir, ...data }).access;
    const url = `${host.root}x/b`;
    const mended: [DataAccess, FilePlace, boolean][] = [
      [at({}), place(here, { storeId: undefined }), false],
      [at({ dir: shared }), place(here), true],
      [at({ sources: [] }), place(url), false],
      [at({ sources: [host.root] }), place(url), true],
      [at({ sources: ['http://127.0.0.1:1/'] }), place('http://127.0.0.1:1/x/b'), false],
      [at({ sources: ['root://there/'], fetch: ['xrdcp'] }), place('root://there/x/b'), true],
      [at({}), place(undefined), true],
    ];
    for (const [of, where, is] of mended)
      expect([where.file_url, await of.isMended(where)]).toEqual([where.file_url, is]);
    expect(existsSync(dir)).toBe(true);
    expect(host.asked).toHaveLength(1);
  });
});

describe('fetched files', () => {
  const hour = 3600;

  it('are removed keep_hours after the end of their execution, unless the execution is running', async () => {
    const dir = temporaryFolder();
    const { access: at } = access({ dir, sources: ['http://there:1/'], keep_hours: 2 });
    const ids = ['ended', 'ended lately', 'running', 'not ended'];
    const age = (id: string, hours: number): void => {
      const then = Date.now() / 1000 - hours * hour;
      utimesSync(join(dir, id, '.swf-mcp-remote'), then, then);
    };
    for (const id of ids) {
      at.of(place(there, { execution_id: id }));
      if (id !== 'not ended') at.noteEnd(id);
      age(id, id === 'ended lately' ? 1.9 : 2.1);
    }
    await at.tidy((id) => id === 'running');
    expect(ids.filter((id) => existsSync(join(dir, id)))).toEqual(['ended lately', 'running', 'not ended']);
  });

  it('cause no error if the end of their execution cannot be recorded or there is no folder', async () => {
    const dir = temporaryFolder();
    mkdirSync(join(dir, execution_id, '.swf-mcp-remote'), { recursive: true });
    const { access: at } = access({ dir });
    expect(() => at.noteEnd(execution_id)).not.toThrow();
    const { access: none } = access({});
    expect(() => none.noteEnd(execution_id)).not.toThrow();
    await expect(none.tidy(() => false)).resolves.toBeUndefined();
  });
});
