import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Page } from '../../../src/db/lists/list-query.ts';
import type { LogFilter } from '../../../src/db/lists/logs.ts';
import type { TestStore } from '../../made-store.ts';
import { ahead, longLog, pageOf, timeOf } from './long-log.ts';

let made: TestStore;

beforeAll(async () => {
  made = await longLog();
});
afterAll(() => made.store.close());

type Case = [what: string, filter: LogFilter, page: Partial<Page>, lines: number[], count: string, more: boolean];

/** Pages that are read along an index, or from the end of the table: every row read matches. */
const found: Case[] = [
  ['the newest of all', {}, {}, [25_000, 24_999, 24_998, 24_997, 24_996], 'at least 10000', true],
  ['the oldest of all', {}, { order: 'oldest', limit: 2 }, [1, 2], 'at least 10000', true],
  ['those after a line', {}, { after: 3 }, [2, 1], 'at least 10000', false],
  [
    'those after a line, oldest first',
    {},
    { order: 'oldest', after: 24_998 },
    [24_999, 25_000],
    'at least 10000',
    false,
  ],
  ['no line after the last', {}, { after: 1 }, [], 'at least 10000', false],
  ['a last page that is exactly full', {}, { after: 3, limit: 2 }, [2, 1], 'at least 10000', false],
  ['a full page with one line left over', {}, { after: 4, limit: 2 }, [3, 2], 'at least 10000', true],
  ['an exact count up to the limit', { agent: 'of 10,000' }, { limit: 2 }, [10_000, 9999], '10000', true],
  ['a lower bound above the limit', { agent: 'of 10,001' }, { limit: 2 }, [20_001, 20_000], 'at least 10000', true],
  ['the same count on a later page', { agent: 'of 300' }, { limit: 2, after: 20_003 }, [20_002], '300', false],
  ['nothing for an unknown agent', { agent: 'nobody' }, {}, [], '0', false],
  [
    'the last line of an agent, without counting',
    { agent: 'of 301' },
    { limit: 1, uncounted: true },
    [20_602],
    '2',
    true,
  ],
];

/** Pages whose rows are checked one by one: at most 10,000, whether they fill the page or not. */
const scanned: [...Case, stopped: number | undefined][] = [
  ['stops after 10,000 lines', { level: 20 }, {}, [15_001], 'at least 1', true, 15_001],
  [
    'continues after the 10,000 lines',
    { level: 20 },
    { after: 15_001 },
    [15_000, 10_001, 10_000],
    'at least 3',
    true,
    5001,
  ],
  ['ends at the first line', { level: 20 }, { after: 5001 }, [], 'at least 0', false, undefined],
  ['ends if 10,000 lines are left', { level: 20 }, { after: 10_001 }, [10_000], 'at least 1', false, undefined],
  ['stops if 10,001 lines are left', { level: 20 }, { after: 10_002 }, [10_001, 10_000], 'at least 2', true, 2],
  ['ends early if full', { level: 20 }, { after: 15_001, limit: 2 }, [15_000, 10_001], 'at least 3', true, undefined],
  ['stops, oldest first', { level: 20 }, { order: 'oldest' }, [10_000], 'at least 1', true, 10_000],
  [
    'continues, oldest first',
    { level: 20 },
    { order: 'oldest', after: 10_000 },
    [10_001, 15_000, 15_001],
    'at least 3',
    true,
    20_000,
  ],
  [
    'ends if 10,000 lines are left, oldest first',
    { level: 20 },
    { order: 'oldest', after: 15_000 },
    [15_001],
    'at least 1',
    false,
    undefined,
  ],
  [
    'stops if 10,001 lines are left, oldest first',
    { level: 20 },
    { order: 'oldest', after: 14_999 },
    [15_000, 15_001],
    'at least 2',
    true,
    24_999,
  ],
  ['ends in an index of 10,000 lines', { agent: 'of 10,000', level: 20 }, {}, [10_000], '1', false, undefined],
  [
    'stops in an index of 10,001 lines',
    { agent: 'of 10,001', level: 20 },
    {},
    [15_001, 15_000],
    'at least 2',
    true,
    10_002,
  ],
  [
    'stops in an index of 10,001 lines, oldest first',
    { agent: 'of 10,001', level: 20 },
    { order: 'oldest' },
    [10_001, 15_000, 15_001],
    'at least 3',
    true,
    20_000,
  ],
  ['is empty if no line matches', { agent: 'of 301', level: 20 }, {}, [], '0', false, undefined],
];

/** Conditions that bound the lines to check: without them, these pages would stop before the first line. */
const bounded: Case[] = [
  ['a window near the start', { start_time: timeOf(100), end_time: timeOf(103) }, {}, [103, 102, 101, 100], '4', false],
  [
    'a window near the start with more rows than a page',
    { start_time: timeOf(100), end_time: timeOf(110) },
    { limit: 2 },
    [110, 109],
    '11',
    true,
  ],
  [
    'a window near the end, oldest first',
    { start_time: timeOf(24_700), end_time: timeOf(24_702) },
    { order: 'oldest', limit: 2 },
    [24_700, 24_701],
    'at least 3',
    true,
  ],
  [
    'a start time near the end, oldest first',
    { start_time: timeOf(24_998) },
    { order: 'oldest', after: 24_000 },
    [24_899, 24_900, 24_998, 24_999, 25_000],
    'at least 5',
    false,
  ],
  ['an end time near the start', { end_time: timeOf(2) }, {}, [2, 1], '2', false],
  ['an end time before all lines', { end_time: timeOf(0) }, {}, [], '0', false],
  ['a run among many lines of an agent', { agent: 'of 10,001', run_id: '8' }, {}, [10_003, 10_002, 10_001], '3', false],
  ['an unknown run', { agent: 'of 10,001', run_id: 'none' }, {}, [], '0', false],
  ['a run without lines of the agent', { agent: 'of 10,000', run_id: '8' }, {}, [], '0', false],
  [
    'a run of several agents',
    { run_id: '9', agent: 'the rest' },
    { order: 'oldest' },
    [24_890, 24_899, 24_900],
    '3',
    false,
  ],
];

const resultOf = (filter: LogFilter, page: Partial<Page>) => pageOf(made, filter, page);

describe('a page of a long log', () => {
  it.each(found)('read along an index returns %s', (_what, filter, page, ...[lines, count, more]) => {
    expect(resultOf(filter, page)).toEqual({ lines, count, more, stopped: undefined });
  });

  it.each(scanned)('checked line by line %s', (_what, filter, page, ...[lines, count, more, stopped]) => {
    expect(resultOf(filter, page)).toEqual({ lines, count, more, stopped });
  });

  it.each(bounded)('does not stop early for %s', (_what, filter, page, ...[lines, count, more]) => {
    expect(resultOf(filter, page)).toEqual({ lines, count, more, stopped: undefined });
  });
});

describe('a page of a word search', () => {
  it.each<Case>([
    ['the newest of many', { search: 'common' }, { limit: 2 }, [25_000, 24_999], 'at least 2000', true],
    ['the oldest of many', { search: 'common' }, { limit: 2, order: 'oldest' }, [1, 2], 'at least 2000', true],
    ['an exact count up to the limit', { search: 'twothousand' }, { limit: 1 }, [2000], '2000', true],
    ['a lower bound above the limit', { search: 'onemore' }, { limit: 1 }, [2001], 'at least 2000', true],
    ['a few lines', { search: 'fifth' }, {}, [25_000, 20_000, 15_000, 10_000, 5000], '5', false],
    ['fewer lines than match', { search: 'fifth' }, { limit: 4 }, [25_000, 20_000, 15_000, 10_000], '5', true],
    ['those after a line', { search: 'fifth' }, { after: 15_000 }, [10_000, 5000], '5', false],
    [
      'those after a line, oldest first',
      { search: 'fifth' },
      { order: 'oldest', after: 15_000 },
      [20_000, 25_000],
      '5',
      false,
    ],
    ['those of a level', { search: 'common', level: 20 }, {}, [15_001, 15_000, 10_001, 10_000], '4', false],
    ['those of a level and another word', { search: 'fifth', level: 20 }, {}, [15_000, 10_000], '2', false],
    ['a count of 300 for an agent', { search: 'common', agent: 'of 300' }, { limit: 1 }, [20_301], '300', true],
    ['a count of 301 for an agent', { search: 'common', agent: 'of 301' }, { limit: 1 }, [20_602], '301', true],
    ['a count of 300 lines far apart', { search: 'common', run_id: '300 apart' }, { limit: 1 }, [24_983], '300', true],
    [
      'a minimum of 301 lines far apart',
      { search: 'common', run_id: '301 apart' },
      { limit: 1 },
      [24_984],
      'at least 13',
      true,
    ],
    ['none of an agent without the word', { search: 'twothousand', agent: 'of 301' }, {}, [], '0', false],
    ['those of a run', { search: 'common', run_id: '8' }, {}, [10_003, 10_002, 10_001], '3', false],
    [
      'those of a run after a line',
      { search: 'common', run_id: '8' },
      { after: 10_003, limit: 1 },
      [10_002],
      '3',
      true,
    ],
    [
      'those of a time window',
      { search: 'fifth', start_time: timeOf(9000), end_time: timeOf(16_000) },
      {},
      [15_000, 10_000],
      '2',
      false,
    ],
  ])('returns %s', (_what, filter, page, ...[lines, count, more]) => {
    expect(resultOf(filter, page)).toEqual({ lines, count, more, stopped: undefined });
  });

  it('checks other conditions on a few lines first, and on at most 10,000 in all', () => {
    // Three lines have this time: two near the end, one in the middle.
    const filter = { search: 'common', start_time: ahead };
    expect(resultOf(filter, { limit: 1 })).toEqual({
      lines: [24_900],
      count: 'at least 2',
      more: true,
      stopped: undefined,
    });
    expect(resultOf(filter, { limit: 2 })).toMatchObject({ lines: [24_900, 24_899], more: true, stopped: 15_001 });
    expect(resultOf(filter, { after: 15_001 })).toMatchObject({ lines: [14_900], more: false, stopped: undefined });
  });

  it('and the pages after it list each line of a log level once, in both orders', () => {
    for (const order of ['newest', 'oldest'] as const) {
      const all: number[] = [];
      for (let after: number | undefined; ;) {
        const { lines, more, stopped } = resultOf({ level: 20 }, { order, limit: 1, after });
        all.push(...lines);
        if (!more) break;
        after = stopped ?? lines.at(-1);
      }
      expect(all).toEqual(order === 'newest' ? [15_001, 15_000, 10_001, 10_000] : [10_000, 10_001, 15_000, 15_001]);
    }
  });
});
