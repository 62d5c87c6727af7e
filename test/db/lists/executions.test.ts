import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type ExecutionFilter, listExecutions } from '../../../src/db/lists/executions.ts';
import type { Page } from '../../../src/db/lists/list-query.ts';
import type { TestStore } from '../../made-store.ts';
import { ada, at, bob, cleo, knownRuns, seen } from './known-runs.ts';

let made: TestStore;

beforeAll(async () => {
  made = await knownRuns();
});
afterAll(() => made.store.close());

const names: Record<string, string> = { [ada]: 'ada', [bob]: 'bob', [cleo]: 'cleo', [seen]: 'seen' };

const list = (filter: ExecutionFilter, page: Partial<Page> = {}, isAlive = true) =>
  listExecutions(made.store.sql, filter, { order: 'newest', limit: 50, ...page }, () => isAlive);

const told = (filter: ExecutionFilter, page: Partial<Page> = {}, isAlive = true): string =>
  list(filter, page, isAlive)
    .rows.map((row) => names[row.execution_id])
    .join(' ');

describe('listing executions', () => {
  it.each<[what: string, filter: ExecutionFilter, answer: string]>([
    ['all', {}, 'seen cleo bob ada'],
    ['one by its id', { execution_id: bob }, 'bob'],
    ['those of a namespace', { namespace: 'test' }, 'cleo ada'],
    ['those in a state', { status: 'running' }, 'bob'],
    ['only those that match both namespace and state', { namespace: 'test', status: 'running' }, ''],
    ['those of a user', { executed_by: 'ada' }, 'ada'],
    ['those of a workflow', { workflow_name: 'stf_datataking' }, 'bob ada'],
    ['those that were observed', { origin: 'observed' }, 'seen'],
    ['our own', { origin: 'own' }, 'cleo bob ada'],
    ['those with a given quality', { quality: 'bad' }, 'ada'],
    ['none of a quality that was never set', { quality: 'good' }, ''],
    ['those without a quality', { quality: 'none' }, 'seen cleo bob'],
    ['those with failed slices', { has_failures: true }, 'ada'],
    ['those without failed slices', { has_failures: false }, 'seen cleo bob'],
    ['those with at least a given number of STF files', { min_stf_count: 2 }, 'bob ada'],
    ['none if the given number of STF files is higher', { min_stf_count: 3 }, ''],
    ['all if the given number of STF files is 0', { min_stf_count: 0 }, 'seen cleo bob ada'],
    ['those of a configuration in any folder', { config: 'beam' }, 'seen cleo ada'],
    ['those of a configuration in a given folder', { config: 'swf/beam' }, 'ada'],
    ['observed ones by their configuration', { config: 'conf/beam' }, 'seen'],
    ['none for a part of a configuration name', { config: 'eam' }, ''],
    ['those of the default configuration', { config: 'fast_processing_default' }, 'bob'],
    ['those of a payload program', { payload: 'Reco' }, 'ada'],
    ['those with a part of a payload as displayed', { payload: 'reco WITH 2 arg' }, 'ada'],
    ['none for a secret argument of a payload', { payload: 'sesame' }, ''],
    ['none for the folder of a payload', { payload: '/opt' }, ''],
    ['those with the placeholder payload', { payload: 'placeholder' }, 'cleo bob'],
    ['those with a word in a note', { search: 'quench,' }, 'ada'],
    ['those with words in any order, in notes and reasons', { search: ' BEAM cold\tmagnet ' }, 'ada'],
    ['those with a word in the reason for their end', { search: 'stopped' }, 'cleo'],
    ['none for words of two different runs', { search: 'magnet stopped' }, ''],
    ['those with non-ASCII letters as written', { search: 'Ångström' }, 'ada'],
    ['all if the search has no word', { search: ' ' }, 'seen cleo bob ada'],
  ])('returns %s', (_what, filter, answer) => {
    expect(told(filter)).toBe(answer);
  });

  it.each<[what: string, window: ExecutionFilter, ofAlive: string, ofDead: string]>([
    ['before all runs', { end_time: at(-0.001) }, '', ''],
    ['up to a start', { end_time: at(0) }, 'ada', 'ada'],
    ['up to just before the next start', { end_time: at(13.999) }, 'ada', 'ada'],
    ['up to the next start', { end_time: at(14) }, 'bob ada', 'bob ada'],
    ['from the last sign of a driver', { start_time: at(18) }, 'seen cleo bob ada', 'seen cleo bob ada'],
    ['from just after the last sign of a driver', { start_time: at(18.001) }, 'seen cleo bob ada', 'seen cleo ada'],
    ['from an end', { start_time: at(22) }, 'seen cleo bob ada', 'seen cleo ada'],
    ['from just after an end', { start_time: at(22.001) }, 'seen bob ada', 'seen ada'],
    ['within a run', { start_time: at(21), end_time: at(21) }, 'cleo bob ada', 'cleo ada'],
    ['between runs', { start_time: at(31), end_time: at(39) }, 'bob', ''],
    ['after all runs', { start_time: at(50.001) }, 'bob', ''],
  ])('returns those active in a window %s', (_what, window, ofAlive, ofDead) => {
    expect([told(window), told(window, {}, false)]).toEqual([ofAlive, ofDead]);
  });

  it('continues after a given execution, in both orders, and counts all executions', () => {
    const [, second] = list({}).rows;
    expect(told({}, { after: second?.key })).toBe('bob ada');
    expect(told({}, { order: 'oldest', after: second?.key })).toBe('seen');
    expect(list({}, { limit: 1 })).toMatchObject({ total_count: 4, has_more: true });
    expect(list({ namespace: 'test' }, { limit: 1 })).toMatchObject({ total_count: 2, has_more: true });
    expect(list({ namespace: 'test' }, { limit: 2 })).toMatchObject({ total_count: 2, has_more: false });
  });

  it('returns each execution with its speed, quality and counts', () => {
    const facts = list({}).rows.map(({ speed, quality, retries, stf_count, slices_failed, bytes }) => [
      [speed, quality, retries],
      [stf_count, slices_failed, bytes],
    ]);
    expect(facts).toEqual([
      // Of other programs, with nothing that says how often they tried or how large files are.
      [
        [null, null, null],
        [0, 0, null],
      ],
      [
        [1, null, 0],
        [0, 0, 0],
      ],
      [
        ['max', null, 0],
        [2, 0, 1000],
      ],
      [
        [2, 'bad', 1],
        [2, 1, 1000],
      ],
    ]);
  });

  it('returns an execution with damaged parameters without a speed, and not in a payload search', () => {
    const { db } = made.store;
    db.exec(`BEGIN; UPDATE workflow_executions SET params = '{"speed":' WHERE execution_id = '${cleo}'`);
    try {
      expect(list({ execution_id: cleo }).rows[0]?.speed).toBeNull();
      expect(told({ payload: 'placeholder' })).toBe('bob');
    } finally {
      db.exec('ROLLBACK');
    }
  });
});
