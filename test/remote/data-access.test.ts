import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import type { FilePlace } from '../../src/remote/data-access.ts';
import { access, type Data, filename, folderWith, here, place, there } from './data-access-setup.ts';
import { execution_id } from './line.ts';

const shared = folderWith();
const nowhere = join(shared, 'not-there');

describe('a file', () => {
  it.each<[string, FilePlace, Data, RegExp | undefined]>([
    ['is within reach if nothing was written', place(undefined), {}, undefined],
    [
      'is out of reach without a data folder',
      place(here),
      {},
      /^the data folder is not known; set it with --set data\.dir=FOLDER$/,
    ],
    ['is within reach in the shared folder', place(here), { dir: shared }, undefined],
    [
      'is out of reach in the folder of another recorder',
      place(here, { storeId: 's2' }),
      { dir: shared },
      /^\S+ has no files from the recorder \(store s2\); share its data folder.*publish it: run "swf-mcp serve-files" and set data\.url/,
    ],
    [
      'is within reach in any folder if its recorder is unknown',
      place(here, { storeId: undefined }),
      { dir: shared },
      undefined,
    ],
    [
      'is out of reach if the folder does not exist',
      place(here, { storeId: undefined }),
      { dir: nowhere },
      /^the data folder \S+not-there does not exist; restore it, or name another with --set data\.dir=FOLDER$/,
    ],
    [
      'is out of reach if the folder is a file',
      place(here, { storeId: undefined }),
      { dir: join(shared, execution_id, filename) },
      /^the data folder \S+a\.stf does not exist/,
    ],
    [
      'is out of reach at an address that is not a source',
      place(there, { filename: 'b' }),
      { dir: shared, sources: ['http://other/x'] },
      /^files are at http:\/\/there:1\/, which is not in data\.sources; add it: --set 'data\.sources=\["http:\/\/other\/x","http:\/\/there:1\/"\]'$/,
    ],
    [
      'is within reach at a source',
      place(there, { filename: 'b' }),
      { dir: shared, sources: ['http://other/x', 'http://there:1/data'] },
      undefined,
    ],
    [
      'is within reach at the address that this host publishes',
      place(there, { filename: 'b' }),
      { dir: shared, url: 'http://there:1/data' },
      undefined,
    ],
    [
      'is out of reach at a root:// address without a fetch command',
      place('root://there/data/x/b', { filename: 'b' }),
      { dir: shared, sources: ['root://there/'] },
      /^files are at root:\/\/there\/; fetching them needs a command: --set 'data\.fetch=\["xrdcp","-f","\{url\}","\{path\}"\]'$/,
    ],
    [
      'is within reach at a root:// address with a fetch command',
      place('root://there/data/x/b', { filename: 'b' }),
      { dir: shared, sources: ['root://there/'], fetch: ['xrdcp'] },
      undefined,
    ],
    [
      'is within reach at an https source',
      place('https://there/data/x/b', { filename: 'b' }),
      { dir: shared, sources: ['https://there/'] },
      undefined,
    ],
    [
      'is out of reach for an agent that makes files without publishing them',
      place(there, { filename: 'b', makesFiles: true }),
      { dir: shared, sources: ['http://there:1/'] },
      /^no other host could read files made here: publish data\.dir with "swf-mcp serve-files"/,
    ],
    [
      'is within reach for an agent that publishes the files it makes',
      place(there, { filename: 'b', makesFiles: true }),
      { dir: shared, sources: ['http://there:1/'], url: 'http://here/data' },
      undefined,
    ],
    [
      'is within reach for an agent that makes no files',
      place(there, { filename: 'b', makesFiles: false }),
      { dir: shared, sources: ['http://there:1/'] },
      undefined,
    ],
    [
      'is within reach if it is published from this folder',
      place(there),
      { dir: shared, url: 'http://there:1/data', sources: [] },
      undefined,
    ],
    [
      'is within reach if its recorder shares the folder, whatever the address',
      place(there),
      { dir: shared, sources: [] },
      undefined,
    ],
    [
      'is out of reach if the file of that name belongs to another recorder',
      place(there, { storeId: 's2' }),
      { dir: shared, sources: [] },
      /not in data\.sources/,
    ],
    [
      'is out of reach if its recorder is unknown and its address is not a source',
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
