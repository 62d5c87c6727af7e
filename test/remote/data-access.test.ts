import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import type { FilePlace } from '../../src/remote/data-access.ts';
import { access, type Data, filename, folderWith, here, place, there } from './data-access-setup.ts';
import { execution_id } from './line.ts';

const shared = folderWith();
const nowhere = join(shared, 'not-there');

describe('a file is out of reach', () => {
  it.each<[string, FilePlace, Data, RegExp | undefined]>([
    ['never, where nothing was written', place(undefined), {}, undefined],
    ['without a folder', place(here), {}, /^no folder of data files is known; name it with --set data\.dir=FOLDER$/],
    ['not in the shared folder', place(here), { dir: shared }, undefined],
    [
      'in the folder of another recorder',
      place(here, { storeId: 's2' }),
      { dir: shared },
      /^\S+ holds no files of the recorder \(store s2\); share its data folder.*publish it: "swf-mcp serve-files" and data\.url/,
    ],
    ['not in any folder, if its recorder is unknown', place(here, { storeId: undefined }), { dir: shared }, undefined],
    [
      'where the folder is not there',
      place(here, { storeId: undefined }),
      { dir: nowhere },
      /^the data folder \S+not-there is not there; bring it back, or name another with --set data\.dir=FOLDER$/,
    ],
    [
      'where the folder is a file',
      place(here, { storeId: undefined }),
      { dir: join(shared, execution_id, filename) },
      /^the data folder \S+a\.stf is not there/,
    ],
    [
      'at an address that is no source',
      place(there, { filename: 'b' }),
      { dir: shared, sources: ['http://other/x'] },
      /^files are at http:\/\/there:1\/, which is not in data\.sources; add it: --set 'data\.sources=\["http:\/\/other\/x","http:\/\/there:1\/"\]'$/,
    ],
    [
      'not at a source',
      place(there, { filename: 'b' }),
      { dir: shared, sources: ['http://other/x', 'http://there:1/data'] },
      undefined,
    ],
    [
      'not at an address of our own',
      place(there, { filename: 'b' }),
      { dir: shared, url: 'http://there:1/data' },
      undefined,
    ],
    [
      'at an address that only a command reaches',
      place('root://there/data/x/b', { filename: 'b' }),
      { dir: shared, sources: ['root://there/'] },
      /^files are at root:\/\/there\/, which needs a command: --set 'data\.fetch=\["xrdcp","-f","\{url\}","\{path\}"\]'$/,
    ],
    [
      'not with that command',
      place('root://there/data/x/b', { filename: 'b' }),
      { dir: shared, sources: ['root://there/'], fetch: ['xrdcp'] },
      undefined,
    ],
    [
      'not at https',
      place('https://there/data/x/b', { filename: 'b' }),
      { dir: shared, sources: ['https://there/'] },
      undefined,
    ],
    [
      'for one whose own files nobody could read',
      place(there, { filename: 'b', makesFiles: true }),
      { dir: shared, sources: ['http://there:1/'] },
      /^files that are made here could be read by nobody: publish data\.dir with "swf-mcp serve-files"/,
    ],
    [
      'not for one that publishes its own',
      place(there, { filename: 'b', makesFiles: true }),
      { dir: shared, sources: ['http://there:1/'], url: 'http://here/data' },
      undefined,
    ],
    [
      'not for one that makes none',
      place(there, { filename: 'b', makesFiles: false }),
      { dir: shared, sources: ['http://there:1/'] },
      undefined,
    ],
    [
      'not where it is published from this folder',
      place(there),
      { dir: shared, url: 'http://there:1/data', sources: [] },
      undefined,
    ],
    [
      'not where its recorder shares the folder, whatever the address',
      place(there),
      { dir: shared, sources: [] },
      undefined,
    ],
    [
      'where another recorder has a file of that name',
      place(there, { storeId: 's2' }),
      { dir: shared, sources: [] },
      /not in data\.sources/,
    ],
    [
      'where the recorder is unknown and the file is elsewhere',
      place(there, { storeId: undefined }),
      { dir: shared, sources: [] },
      /not in data\.sources/,
    ],
  ])('%s', (_, of, data, why) => {
    const { access: at } = access(data);
    const obstacle = at.obstacleTo(of);
    if (why === undefined) expect(obstacle).toBeUndefined();
    else expect(obstacle).toMatch(why);
    if (why !== undefined) expect(at.of(of)).toEqual({ obstacle });
    else expect(at.of(of)).not.toHaveProperty('obstacle');
  });
});
