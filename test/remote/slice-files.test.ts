import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { noDataFiles as files } from '../../src/files/data-files.ts';
import { SwfError } from '../../src/lib/errors.ts';
import { temporaryFolder } from '../folder.ts';
import { pass } from '../still-time.ts';
import { execution_id, stateOf } from './line.ts';
import { file_url, tf_filename, worker } from './slice-preparation-setup.ts';

const checksum = `sha256:${createHash('sha256').update('right').digest('hex')}`;
const wrong = {
  reason: 'WRONG_FILE',
  detail: `${file_url} does not exist, or its checksum is not ${checksum}; provide the right file`,
};

describe('the file of a slice', () => {
  it('that is out of reach takes its worker off duty for all files in the same place until it is reachable', async () => {
    const { prepare, reach, kinds, warnings, views } = worker();
    views.hear(stateOf());
    const why = `no way there ${'.'.repeat(1200)}`;
    reach.found = { obstacle: why };
    const unfit = { reason: 'NO_FILE', detail: why.slice(0, 1000) };
    expect(await prepare({ file_url })).toEqual(unfit);
    expect([kinds(), warnings.length]).toEqual([['NO_FILE http://there:1/data'], 1]);
    // Others of that place are returned without another try.
    reach.found = { files, folder: undefined };
    expect(await prepare({ file_url, slice_id: 1 })).toEqual(unfit);
    expect(await prepare({ file_url: 'http://elsewhere:1/data/x/y' })).toHaveProperty('run');
    await pass(30);
    expect(kinds()).toHaveLength(1);
    reach.isMended = true;
    await pass(30);
    expect(kinds()).toEqual([]);
    expect(await prepare({ file_url })).toHaveProperty('run');
  });

  it('in a shared folder must have the announced checksum', async () => {
    const { prepare, reach, kinds, views } = worker();
    views.hear(stateOf());
    const folder = temporaryFolder();
    reach.found = { files, folder };
    expect(await prepare({ file_url, checksum })).toEqual(wrong);
    expect(kinds()).toEqual([`WRONG_FILE ${tf_filename} http://there:1/data`]);
    writeFileSync(join(folder, tf_filename), 'wrong');
    await pass(30);
    expect(kinds()).toHaveLength(1);
    writeFileSync(join(folder, tf_filename), 'right');
    await expect
      .poll(async () => {
        await pass(30);
        return kinds();
      })
      .toEqual([]);
    expect(await prepare({ file_url, checksum })).toHaveProperty('run');
  });

  it('with neither an address nor a checksum is reported by its name', async () => {
    const { prepare, reach } = worker();
    reach.found = { files, folder: temporaryFolder() };
    expect(await prepare({})).toEqual({
      reason: 'WRONG_FILE',
      detail: `${tf_filename} does not exist, or its checksum is not the announced one; provide the right file`,
    });
  });

  it('that is wrong is dropped from the off-duty list once its execution has ended', async () => {
    const { prepare, reach, kinds, views, warnings } = worker();
    views.hear(stateOf());
    reach.found = { files, folder: temporaryFolder() };
    await prepare({ file_url, checksum });
    reach.found = { obstacle: 'no way there' };
    await prepare({ file_url });
    expect(kinds()).toHaveLength(2);
    views.hear(stateOf({ status: 'completed' }));
    await pass(30);
    // A place may matter to other executions.
    expect(kinds()).toEqual(['NO_FILE http://there:1/data']);
    expect(warnings.filter((line) => line.startsWith('on duty'))).toEqual([]);
  });

  it('on another host is fetched before the slice starts; the fetch gets its checksum and a signal for the end of the execution', async () => {
    const { prepare, reach, views, kinds } = worker();
    views.hear(stateOf());
    const asked: [string | undefined, AbortSignal][] = [];
    let isRight = true;
    const bring = (sum: string | undefined, over: AbortSignal): Promise<boolean> => {
      asked.push([sum, over]);
      return Promise.resolve(isRight);
    };
    reach.found = { files, folder: temporaryFolder(), bring };
    expect(await prepare({ file_url, checksum })).toHaveProperty('run');
    isRight = false;
    expect(await prepare({ file_url, checksum })).toEqual(wrong);
    expect(asked).toEqual(Array.from({ length: 2 }, () => [checksum, views.overFor(execution_id, 's1')]));
    isRight = true;
    await pass(30);
    expect([kinds(), asked.length]).toEqual([[], 3]);
  });

  it.each<[string, Error, 'none' | 'drain' | 'end', boolean]>([
    [
      'keeps its worker off duty if the file host is away',
      new SwfError('DATA_UNAVAILABLE', 'it is away'),
      'none',
      true,
    ],
    ['is not reported if the worker ends', new SwfError('DATA_UNAVAILABLE', 'it is away'), 'drain', false],
    ['is not reported if its execution ends', new SwfError('DATA_UNAVAILABLE', 'it is away'), 'end', false],
    ['raises the error if the worker has a bug', new Error('a bug'), 'none', false],
  ])('that cannot be fetched %s', async (_, error, end, isReturned) => {
    const { prepare, reach, views, kinds, drain } = worker();
    views.hear(stateOf());
    const bring = (): Promise<boolean> => {
      if (end === 'drain') drain();
      if (end === 'end') views.hear(stateOf({ status: 'terminated' }));
      return Promise.reject(error);
    };
    reach.found = { files, folder: temporaryFolder(), bring };
    const prepared = prepare({ file_url, checksum });
    if (isReturned) expect(await prepared).toEqual({ reason: 'NO_FILE', detail: 'it is away' });
    else await expect(prepared).rejects.toBe(error);
    expect(kinds()).toHaveLength(isReturned ? 1 : 0);
  });
});
