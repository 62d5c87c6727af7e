import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { encodeFrames } from '../../src/domain/frames.ts';
import { createDataFiles } from '../../src/files/disk-data-files.ts';
import { createFetchedFiles } from '../../src/files/fetched-files.ts';
import { createCheckedFiles, pathAddress } from '../../src/files/file-io.ts';
import { createRemoteDataFiles } from '../../src/files/remote-data-files.ts';
import { temporaryFolder } from '../folder.ts';
import { type Answer, fileHost, serves } from './file-host.ts';

const frameBytes = 64;
const name = 'swf.100010.000001.stf';
const content = encodeFrames({ run: 100_010, sequence: 1 }, 0, 20, frameBytes);
const sumOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

async function remote(answer: Answer, command?: readonly string[]) {
  const host = await fileHost(answer);
  const folder = temporaryFolder();
  const url = `${host.root}${name}`;
  const ways = { sources: { prefixes: [host.root], token: undefined }, command, environment: process.env };
  const files = createRemoteDataFiles({
    url,
    ways,
    fetched: createFetchedFiles(ways, createCheckedFiles()),
    place: { folder, urlOf: pathAddress(folder) },
    local: createDataFiles(folder),
    signal: new AbortController().signal,
  });
  return { host, files, folder, url };
}

/** A server that sends a few bytes at a time. */
const inPieces =
  (bytes: Buffer, size = 50): Answer =>
  (response, request) => {
    const [, from = 0, to = bytes.length - 1] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    response.writeHead(request.headers.range === undefined ? 200 : 206);
    for (let at = Number(from); at <= Number(to); at += size)
      response.write(bytes.subarray(at, Math.min(at + size, Number(to) + 1)));
    response.end();
  };

/** A program that writes bytes into the file that it is given. */
const writes = (bytes: Buffer): string =>
  `require('fs').writeFileSync(process.argv[1], Buffer.from('${bytes.toString('base64')}', 'base64'))`;

const ways = [
  ['over HTTP', serves(content), undefined],
  ['over HTTP in pieces that are not whole frames', inPieces(content), undefined],
  ['with a command', serves(content), [process.execPath, '-e', writes(content), '{path}']],
] as const;

describe.each(ways)('data files on another host, accessed %s,', (_, answer, command) => {
  it('yield their size and checksum', async () => {
    const { files, url } = await remote(answer, command);
    expect(await files.measure(name, { tf_count: 20, frameBytes })).toEqual({
      size_bytes: content.length,
      checksum: sumOf(content),
      file_url: url,
    });
  });

  it('provide the requested frames in a local file', async () => {
    const { files, folder } = await remote(answer, command);
    const wanted = content.subarray(5 * frameBytes, 10 * frameBytes);
    expect(await files.copyFrames(name, 'a.tf', { first: 5, last: 9, frameBytes })).toEqual({
      size_bytes: wanted.length,
      checksum: sumOf(wanted),
      file_url: pathAddress(folder)('a.tf'),
    });
    expect(readFileSync(join(folder, 'a.tf'))).toEqual(wanted);
    await files.verify('a.tf', { first: 5, last: 9, frameBytes });
    await expect(files.verify('a.tf', { first: 4, last: 9, frameBytes })).rejects.toThrow('does not contain frame 4');
  });

  it('are fetched only in the requested range', async () => {
    const { files, host } = await remote(answer, command);
    await files.copyFrames(name, 'a.tf', { first: 5, last: 9, frameBytes });
    if (command === undefined) expect(host.asked).toEqual([{ url: `/${name}`, range: 'bytes=320-639' }]);
  });
});

describe('frames from another host', () => {
  const broken = Buffer.from(content);
  broken.writeUInt8(broken.readUInt8(7 * frameBytes + 40) ^ 1, 7 * frameBytes + 40);

  it.each<[string, Answer, string]>([
    ['are damaged', serves(broken), 'frame 7 does not match its checksum'],
    ['end too soon', serves(content.subarray(0, 8 * frameBytes)), 'ends before frame 8'],
    ['end within a frame', serves(content.subarray(0, 8 * frameBytes + 9)), 'it ends inside a frame of 64 bytes'],
    ['are the wrong ones', serves(content.subarray(frameBytes)), 'frame 5 has the index 6'],
  ])('that %s are rejected, and nothing is left of them', async (_, answer, why) => {
    const { files, folder } = await remote(answer);
    await expect(files.copyFrames(name, 'a.tf', { first: 5, last: 9, frameBytes })).rejects.toThrow(why);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('that a command does not fetch are reported as missing', async () => {
    const { files } = await remote(serves(content), ['true']);
    await expect(files.measure(name, { tf_count: 20, frameBytes })).rejects.toThrow('it was not found (404)');
  });

  it('are not fetched for a file that is made here', async () => {
    const { files, folder } = await remote(serves(content));
    files.prepare();
    const made = await files.prepareStf({ filename: 'b.stf', run: 1, sequence: 2, tf_count: 3, frameBytes });
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/^b\.stf\..{8}\.part$/)]);
    await files.tidy();
    expect(readdirSync(folder)).toEqual([]);
    await expect(made.publish()).rejects.toThrow();
  });

  it('are copied whole, whatever their size and the pieces in which they arrive', async () => {
    for (const largeFrame of [400_000, 1_048_576, 1_500_000]) {
      const large = encodeFrames({ run: 100_010, sequence: 1 }, 0, 6, largeFrame);
      const { files, folder } = await remote(inPieces(large, 300_001));
      await files.copyFrames(name, 'a.tf', { first: 1, last: 5, frameBytes: largeFrame });
      expect(readFileSync(join(folder, 'a.tf')).equals(large.subarray(largeFrame))).toBe(true);
    }
  });

  it('go into a folder that prepare() creates', async () => {
    const { files, folder } = await remote(serves(content));
    rmSync(folder, { recursive: true });
    files.prepare();
    expect(readdirSync(folder)).toEqual([]);
  });
});
