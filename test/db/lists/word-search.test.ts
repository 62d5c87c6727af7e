import { describe, expect, it } from 'vitest';

import { listLogs } from '../../../src/db/lists/logs.ts';
import { listMessages } from '../../../src/db/lists/messages.ts';
import { createWordSearch } from '../../../src/db/lists/word-search.ts';
import { createLogLineWriter } from '../../../src/db/log/log-lines.ts';
import { removeExecution } from '../../../src/db/maintenance/prune.ts';
import { rowsOfBlock } from '../../../src/db/notes/row-blocks.ts';
import { makeRunningStore, makeStore, noCounts, type TestStore } from '../../made-store.ts';

const writeLog = createLogLineWriter('DEBUG');

const write = ({ store }: TestStore, ...messages: string[]): Promise<void> =>
  store.write((tx) => {
    for (const message of messages) writeLog(tx, { level: 'INFO', message }, { agent: 'a' });
  });

/** A search that stays open, as in a server. Returns the lines that match. */
function searcherOf({ store }: TestStore) {
  const words = createWordSearch(store.sql);
  return (search: string, order: 'newest' | 'oldest' = 'oldest', limit = 50): string[] =>
    listLogs(store.sql, { search }, { order, limit }, words).rows.map(({ message }) => message);
}

const texts = [
  'disk full on host-a',
  'Disk is FULL again',
  'the queue is full of slices',
  'host A says: disk "full"',
  'fuller than full*',
  'OR AND NOT NEAR text level',
];

/** Searches, and the indexes of the texts above that they find. */
const questions: [asked: string, found: number[]][] = [
  ['disk', [0, 1, 3]],
  ['DISK', [0, 1, 3]],
  ['disk full', [0, 3]],
  ['full disk', []],
  ['disk, full!', [0, 3]],
  ['disk "full"', [0, 3]],
  ['host-a', [0, 3]],
  ['ful', []],
  ['ful*', [0, 1, 2, 3, 4]],
  ['disk ful*', [0, 3]],
  ['dis* full', []],
  ['ful*  ', [0, 1, 2, 3, 4]],
  ['full\u0000disk', []],
  ['disk\u0000full', [0, 3]],
  ['disk\nfull\t', [0, 3]],
  ['disk OR queue', []],
  ['OR AND', [5]],
  ['text : level', [5]],
  ['level', [5]],
  ['20', []],
  ['*', []],
];

describe('a word search', () => {
  it.each([
    ['just recorded', 0],
    ['of full blocks', rowsOfBlock],
    ['partly in a full block', rowsOfBlock - 3],
  ])('finds whole words in sequence, ignoring case, in lines %s', async (_which, further) => {
    const made = await makeStore();
    await write(made, ...Array.from({ length: further % rowsOfBlock }, () => 'before'));
    await write(made, ...texts, ...Array.from({ length: further === rowsOfBlock ? rowsOfBlock : 0 }, () => 'after'));
    await write(made, 'the last');
    const search = searcherOf(made);
    for (const [asked, found] of questions)
      expect([asked, search(asked)]).toEqual([asked, found.map((place) => texts[place])]);
  });

  it('finds lines in full blocks and newer lines together, in page order', async () => {
    const made = await makeStore();
    const numbered = Array.from({ length: rowsOfBlock + 10 }, (_, at) => (at % 100 === 0 ? `hundred ${at}` : `${at}`));
    await write(made, ...numbered);
    await write(made, 'hundred and last');
    const search = searcherOf(made);
    const all = [0, 100, 200, 300, 400, 500].map((at) => `hundred ${at}`);
    expect(search('hundred')).toEqual([...all, 'hundred and last']);
    expect(search('hundred', 'newest')).toEqual(['hundred and last', ...all.toReversed()]);
    expect(search('hundred', 'newest', 2)).toEqual(['hundred and last', 'hundred 500']);
    expect(search('hundred', 'oldest', 2)).toEqual(['hundred 0', 'hundred 100']);
  });

  it('finds lines added since the last search, before and after their block is full', async () => {
    const made = await makeStore();
    const search = searcherOf(made);
    expect(search('needle')).toEqual([]);
    await write(made, 'first needle');
    expect(search('needle')).toEqual(['first needle']);
    await write(made, 'second needle', 'hay');
    expect(search('needle')).toEqual(['first needle', 'second needle']);
    await write(made, ...Array.from({ length: rowsOfBlock }, () => 'hay'), 'third needle');
    await write(made, 'fourth needle');
    expect(search('needle')).toEqual(['first needle', 'second needle', 'third needle', 'fourth needle']);
    expect(search('needle', 'newest')).toEqual(['fourth needle', 'third needle', 'second needle', 'first needle']);
  });

  it('keeps messages and log lines apart', async () => {
    const made = await makeRunningStore();
    await write(made, 'run_imminent was logged');
    const words = createWordSearch(made.store.sql);
    const page = { order: 'newest', limit: 9 } as const;
    expect(listMessages(made.store.sql, { search: 'run_imminent' }, page, words).rows).toMatchObject([
      { message_type: 'run_imminent' },
    ]);
    expect(listLogs(made.store.sql, { search: 'run_imminent' }, page, words).rows).toMatchObject([
      { message: 'run_imminent was logged' },
    ]);
  });
});

describe('a search after an execution was removed', () => {
  const id = 'stf_datataking-tester-0001';
  const kept = 'stf_datataking-tester-0002';

  async function twoRuns(between: number) {
    const made = await makeRunningStore();
    const { say, store } = made;
    await say('workflow_ended', { ...noCounts, status: 'completed', reason: 'completed' });
    await say('run_workflow', {
      command_id: 'c2',
      workflow_name: 'stf_datataking',
      params: {},
      executed_by: 'tester',
      speed: 1,
    });
    const line = (message: string, execution_id: string): Promise<void> =>
      store.write((tx) => writeLog(tx, { level: 'INFO', message }, { agent: 'a', execution_id }));
    await line('needle of the first', id);
    await line('needle of the second', kept);
    await write(made, ...Array.from({ length: between }, () => 'hay'));
    await write(made, 'the last');
    return {
      made,
      search: searcherOf(made),
      remove: () => removeExecution(store, { execution_id: id, data_folder: null }, 'tester', async () => {}),
    };
  }

  it.each([
    ['were just recorded', 0],
    ['are in a full block', rowsOfBlock],
  ])('finds only the words of other executions, in lines that %s', async (_which, between) => {
    const { search, remove } = await twoRuns(between);
    expect(search('needle')).toEqual(['needle of the first', 'needle of the second']);
    await remove();
    expect(search('needle')).toEqual(['needle of the second']);
    expect(search('needle', 'oldest', 1)).toEqual(['needle of the second']);
  });
});
