import { describe, expect, it } from 'vitest';

import { lastRemoval, openRemovals, removalOf, removalWords } from '../../../src/db/log/removals.ts';
import { makeStore } from '../../made-store.ts';

const [day1, day2] = ['2026-11-27T10:00:00.000Z', '2026-11-28T10:00:00.000Z'];

type Row = [id: string, folder: string | null, at: string | null, by: string | null];

async function storeWith(...removals: Row[]) {
  const { store } = await makeStore();
  await store.write(({ sql }) => {
    for (const row of removals)
      sql('INSERT INTO removals (execution_id, data_folder, removed_at, removed_by) VALUES (?, ?, ?, ?)').run(...row);
  });
  return store.sql;
}

describe('the removal of an execution', () => {
  it('is recorded with its time and user', async () => {
    const sql = await storeWith(['e-1', '/data/e-1', day2, 'ana'], ['e-2', null, day1, null]);
    expect(removalOf(sql, 'e-1')).toEqual({ execution_id: 'e-1', removed_at: day2, removed_by: 'ana' });
    expect(removalOf(sql, 'e-3')).toBeUndefined();
    expect(['e-1', 'e-2', 'e-3'].map((id) => removalOf(sql, id) !== undefined)).toEqual([true, true, false]);
    expect(openRemovals(sql)).toEqual([]);
  });

  it.each([
    [day1, 'ana', ` at ${day1} by ana`],
    [day1, null, ` at ${day1}`],
    [null, 'ana', ' by ana'],
    [null, null, ''],
  ])('is described by its time and user, if these are known: at %s by %s', (removed_at, removed_by, words) => {
    expect(removalWords({ execution_id: 'e-1', removed_at, removed_by })).toBe(words);
  });

  it('that was interrupted stays open, keeps the name of its data folder, and counts as the last removal', async () => {
    const sql = await storeWith(
      ['e-1', null, day1, 'ana'],
      ['e-2', '/data/e-2', null, 'ben'],
      ['e-3', null, day2, null],
    );
    expect(openRemovals(sql)).toEqual([{ execution_id: 'e-2', data_folder: '/data/e-2' }]);
    expect(lastRemoval(sql)).toEqual({
      execution_id: 'e-2',
      removed_at: null,
      removed_by: 'ben',
      count: 3,
      words: ' by ben',
    });
  });

  it('that came last is returned, or undefined if nothing was removed', async () => {
    expect(lastRemoval(await storeWith())).toBeUndefined();
    const sql = await storeWith(['e-1', null, day2, 'ana'], ['e-2', null, day1, null]);
    expect(lastRemoval(sql)).toMatchObject({ execution_id: 'e-1', count: 2, words: ` at ${day2} by ana` });
  });
});
