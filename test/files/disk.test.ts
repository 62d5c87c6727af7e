import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { encodeFrames } from '../../src/domain/frames.ts';
import { asDataError } from '../../src/files/data-files.ts';
import { createDataFiles } from '../../src/files/disk-data-files.ts';
import { createCheckedFiles, checksumOf } from '../../src/files/file-io.ts';
import { removeWhole, isMarked, markFolder } from '../../src/files/folders.ts';
import { SwfError } from '../../src/lib/errors.ts';
import { temporaryFolder } from '../folder.ts';

const stf = { run: 100_010, sequence: 1 };
const fault = (code: string): Error => Object.assign(new Error(`${code}: no luck`), { code });

describe('a file system error', () => {
  it.each(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EMFILE', 'ENFILE'])('%s is reported as a disk fault', (code) => {
    const folder = temporaryFolder();
    const error = asDataError(fault(code), `${folder}/a.stf`, folder) as SwfError;
    expect(error.line).toBe(
      `DATA_UNAVAILABLE: ${folder}/a.stf cannot be written or read (${code}: no luck); free some space or fix the disk, then resume or stop the execution`,
    );
    expect(error.cause).toMatchObject({ code });
  });

  it.each(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ESTALE'])(
    '%s is reported as a missing data folder only if the folder is missing',
    (code) => {
      const folder = temporaryFolder();
      const error = fault(code);
      expect(asDataError(error, `${folder}/a.stf`, folder)).toBe(error);
      const away = join(folder, 'away');
      expect((asDataError(error, `${away}/a.stf`, away) as SwfError).line).toBe(
        `DATA_UNAVAILABLE: the data folder ${away} does not exist or cannot be used (${code}: no luck); restore it, or fix its permissions, then resume or stop the execution`,
      );
    },
  );

  it.each([fault('EISDIR'), new Error('a bug'), new SwfError('CONFIG_INVALID', 'x')])(
    '%s is passed on unchanged',
    (error) => {
      expect(asDataError(error, '/away/a.stf', '/away')).toBe(error);
    },
  );
});

describe('the data files of an execution', () => {
  const make = () => {
    const folder = join(temporaryFolder(), 'execution');
    const files = createDataFiles(folder);
    files.prepare();
    return { folder, files };
  };
  const facts = { filename: 'a.stf', ...stf, tf_count: 20, frameBytes: 64 };

  it('are in a separate folder that only their owner may enter', () => {
    expect(statSync(make().folder).mode & 0o777).toBe(0o700);
  });

  it('cause DATA_UNAVAILABLE if their folder cannot be created', () => {
    const file = join(temporaryFolder(), 'a-file');
    writeFileSync(file, '');
    expect(() => createDataFiles(join(file, 'execution')).prepare()).toThrow(
      expect.objectContaining({ code: 'DATA_UNAVAILABLE' }),
    );
  });

  it('have their final names only when they are complete', async () => {
    const { folder, files } = make();
    const written = await files.prepareStf(facts);
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/^a\.stf\.[0-9a-f]{8}\.part$/)]);
    expect(await written.publish()).toEqual({ size_bytes: 1280, file_url: `file://${folder}/a.stf` });
    expect(readdirSync(folder)).toEqual(['a.stf']);
    expect(readFileSync(join(folder, 'a.stf'))).toEqual(encodeFrames(stf, 0, 20, 64));
    expect(statSync(join(folder, 'a.stf')).mode & 0o777).toBe(0o600);
    await (await files.prepareStf(facts)).discard();
    expect(readdirSync(folder)).toEqual(['a.stf']);
  });

  it('have the right content even if they are large and written in pieces', async () => {
    const { folder, files } = make();
    const frameBytes = 400_000;
    await (await files.prepareStf({ ...facts, tf_count: 5, frameBytes })).publish();
    expect(readFileSync(join(folder, 'a.stf')).equals(encodeFrames(stf, 0, 5, frameBytes))).toBe(true);
    await files.copyFrames('a.stf', 'a.tf', { first: 1, last: 4, frameBytes });
    expect(readFileSync(join(folder, 'a.tf')).equals(encodeFrames(stf, 1, 4, frameBytes))).toBe(true);
    await files.verify('a.tf', { first: 1, last: 4, frameBytes });
    await files.verify('a.tf', { first: 2, last: 3, frameBytes });
    expect(await files.measure('a.tf', { tf_count: 4, frameBytes })).toEqual({
      size_bytes: 4 * frameBytes,
      checksum: await checksumOf(join(folder, 'a.tf')),
      file_url: `file://${folder}/a.tf`,
    });
  });

  it('are removed if a killed process left them unfinished, and kept otherwise', async () => {
    const { folder, files } = make();
    for (const name of ['a.stf', 'a.stf.12345678.part', 'b.fetching']) writeFileSync(join(folder, name), '');
    await files.tidy();
    expect(readdirSync(folder)).toEqual(['a.stf', 'b.fetching']);
    await createDataFiles(join(folder, 'none')).tidy();
  });

  it('are verified, and the error names the wrong frame', async () => {
    const { folder, files } = make();
    const write = (name: string, change: (bytes: Buffer) => Buffer): void =>
      writeFileSync(join(folder, name), change(encodeFrames(stf, 5, 10, 64)));
    const range = { first: 5, last: 14, frameBytes: 64 };
    write('a.tf', (bytes) => bytes);
    await files.verify('a.tf', range);
    write('empty.tf', () => Buffer.alloc(0));
    await expect(files.verify('empty.tf', range)).rejects.toThrow('does not contain frame 5');
    write('noise.tf', (bytes) => bytes.fill(7));
    await expect(files.verify('noise.tf', range)).rejects.toThrow('does not contain frame 5');
    await expect(files.verify('a.tf', { ...range, first: 4 })).rejects.toThrow('does not contain frame 4');
    await expect(files.verify('a.tf', { ...range, last: 15 })).rejects.toThrow('ends before byte 704');
    for (const place of [0, 1, 2, 9]) {
      write('b.tf', (bytes) => {
        bytes[place * 64 + 30]! ^= 1;
        return bytes;
      });
      await expect(files.verify('b.tf', range)).rejects.toThrow(`frame ${5 + place} does not match its checksum`);
    }
    write('swapped.tf', (bytes) => Buffer.concat([encodeFrames(stf, 9, 1, 64), bytes.subarray(64)]));
    await expect(files.verify('swapped.tf', range)).rejects.toThrow('frame 5 has the index 9');
    write('one.tf', (bytes) => bytes.subarray(0, 64));
    await files.verify('one.tf', { ...range, last: 5 });
  });

  it('must not be pipes', async () => {
    const { folder, files } = make();
    execFileSync('mkfifo', [join(folder, 'a.stf')]);
    await expect(files.measure('a.stf', facts)).rejects.toThrow('a.stf is not a regular file');
  });

  it('cause ENOENT if they are missing, and DATA_UNAVAILABLE if their folder is missing', async () => {
    const { files } = make();
    const range = { first: 0, last: 1, frameBytes: 64 };
    await expect(files.verify('none.tf', range)).rejects.toMatchObject({ code: 'ENOENT' });
    const away = createDataFiles(join(temporaryFolder(), 'away'));
    await expect(away.verify('none.tf', range)).rejects.toMatchObject({ code: 'DATA_UNAVAILABLE' });
    await expect(away.prepareStf(facts)).rejects.toMatchObject({ code: 'DATA_UNAVAILABLE' });
  });

  it('can be verified many at a time', async () => {
    const { folder, files } = make();
    writeFileSync(join(folder, 'a.tf'), encodeFrames(stf, 0, 400, 64));
    const ranges = Array.from({ length: 200 }, (_, at) => ({ first: at, last: at + 1, frameBytes: 64 }));
    await Promise.all(ranges.map((range) => files.verify('a.tf', range)));
  });
});

describe('the checksum of a file', () => {
  it('is computed only once as long as the file does not change', async () => {
    const path = join(temporaryFolder(), 'a.tf');
    const checked = createCheckedFiles();
    const sumOf = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;
    writeFileSync(path, 'one');
    utimesSync(path, 1, 1);
    expect(await checked.agrees(path, sumOf('one'))).toBe(true);
    writeFileSync(path, 'two');
    utimesSync(path, 1, 1);
    expect(await checked.agrees(path, sumOf('one'))).toBe(true);
    utimesSync(path, 2, 2);
    expect([await checked.agrees(path, sumOf('one')), await checked.agrees(path, sumOf('two'))]).toEqual([false, true]);
    expect(await checked.agrees(join(path, 'none'), sumOf('one'))).toBe(false);
    expect(await checked.agrees(`${path}.none`, undefined)).toBe(false);
  });
});

describe('a folder', () => {
  it('nested deeper than the longest possible path is removed completely', async () => {
    const folder = join(temporaryFolder(), 'deep');
    mkdirSync(folder);
    const deeper = `for (let i = 0; i < 40; i += 1) { fs.mkdirSync('d'.repeat(200)); process.chdir('d'.repeat(200)); }`;
    execFileSync(process.execPath, ['-e', deeper], { cwd: folder });
    await removeWhole(folder);
    expect(existsSync(folder)).toBe(false);
    await removeWhole(folder);
  });

  it('is marked with the ids of all stores that have files in it, each once', () => {
    const folder = temporaryFolder();
    expect(isMarked(folder, 'one')).toBe(false);
    for (const id of ['one', 'two', 'one']) markFolder(folder, id);
    expect(['one', 'two', 'thr', ''].map((id) => isMarked(folder, id))).toEqual([true, true, false, true]);
    expect(readFileSync(join(folder, '.swf-mcp-store'), 'utf8')).toBe('one\ntwo\n');
    expect(isMarked(join(folder, 'none'), 'one')).toBe(false);
    chmodSync(folder, 0o700);
  });
});
