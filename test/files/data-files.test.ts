import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { type DataFiles, noDataFiles } from '../../src/files/data-files.ts';
import { createDataFiles } from '../../src/files/disk-data-files.ts';
import { temporaryFolder } from '../helpers.ts';

/** Every implementation of the interface. */
const implementations: [kind: string, make: () => DataFiles][] = [
  ['on a disk', () => createDataFiles(join(temporaryFolder(), 'execution'))],
  ['that are not written', () => noDataFiles],
];

const stf = { filename: 'swf.100010.000001.stf', run: 100_010, sequence: 1, tf_count: 20, frameBytes: 64 };
const tf = 'swf.100010.000001_tf_001.tf';
const range = { first: 5, last: 9, frameBytes: 64 };

describe.each(implementations)('data files %s', (_, make) => {
  it('have the total size of their frames when they are published, measured or copied', async () => {
    const files = make();
    files.prepare();
    expect(await (await files.prepareStf(stf)).publish()).toMatchObject({ size_bytes: 20 * 64 });
    expect(await files.measure(stf.filename, stf)).toMatchObject({ size_bytes: 20 * 64 });
    expect(await files.copyFrames(stf.filename, tf, range)).toMatchObject({ size_bytes: 5 * 64 });
    await files.verify(tf, range);
    await files.tidy();
  });

  it('are the same when they are made again', async () => {
    const files = make();
    files.prepare();
    const written = async () => (await files.prepareStf(stf)).publish();
    const facts = async () => [await written(), await files.copyFrames(stf.filename, tf, range)];
    expect(await facts()).toEqual(await facts());
  });
});
