import { afterEach, describe, expect, it, vi } from 'vitest';

import {
  type CounterName,
  drawNumber,
  type FirstNumbers,
  nameNumbers,
  reserveNumber,
  spreadNumbers,
} from '../../../src/db/log/numbers.ts';
import { homeOf, knownStoreId, storeId } from '../../../src/db/log/store-identity.ts';
import { openReader } from '../../../src/db/opening/open-reader.ts';
import { preparer } from '../../../src/db/sqlite/statements.ts';
import { makeStore } from '../../made-store.ts';

async function emptyStore() {
  const made = await makeStore();
  const { store } = made;
  return {
    ...made,
    draw: (name: CounterName) => store.write((tx) => drawNumber(tx, name)),
    reserve: (name: CounterName, number: number) => store.write((tx) => reserveNumber(tx, name, number)),
    spread: (first: FirstNumbers) => store.write((tx) => spreadNumbers(tx, first)),
  };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('numbers of a store', () => {
  it('are each assigned once, separately for each kind: runs from 100010, all others from 1', async () => {
    const { draw } = await emptyStore();
    for (const name of ['execution', 'agent', 'monitor runs'] as const)
      expect([await draw(name), await draw(name), await draw(name)]).toEqual([1, 2, 3]);
    expect([await draw('run'), await draw('run')]).toEqual([100_010, 100_011]);
  });

  it('continue after a reserved number, unless a higher one has been assigned', async () => {
    const { draw, reserve } = await emptyStore();
    await reserve('execution', 41);
    expect(await draw('execution')).toBe(42);
    await reserve('execution', 7);
    expect(await draw('execution')).toBe(43);
    await reserve('execution', 50);
    expect(await draw('execution')).toBe(51);
  });
});

describe('a store that shares a broker with other stores', () => {
  it.each([
    ['the lowest', 0, 1000, 1_000_000],
    ['the middle', 0.5, 5500, 5_500_000],
    ['nearly the highest', 0.999_999_99, 9999, 9_999_999],
  ])('starts numbering from random values: %s', async (_, chance, execution, run) => {
    vi.spyOn(Math, 'random').mockReturnValue(chance);
    const { draw, spread } = await emptyStore();
    await spread({});
    expect([await draw('execution'), await draw('run')]).toEqual([execution, run]);
  });

  it('starts numbering from the configured values, which take effect only once', async () => {
    const { draw, spread } = await emptyStore();
    await spread({ first_execution_number: 7, first_run_number: 200_000 });
    expect([await draw('execution'), await draw('run')]).toEqual([7, 200_000]);
    await spread({ first_execution_number: 900, first_run_number: 300_000 });
    expect([await draw('execution'), await draw('run')]).toEqual([8, 200_001]);
  });
});

describe('the number of a name', () => {
  it('stays the same, and is null if there is no name', async () => {
    const { store } = await emptyStore();
    const { numberOf } = nameNumbers(store.sql);
    const [a, b, again] = await store.write(() => [numberOf('host-a'), numberOf('host-b'), numberOf('host-a')]);
    expect(again).toBe(a);
    expect(b).not.toBe(a);
    expect(numberOf(undefined)).toBeNull();
    expect(store.db.prepare('SELECT name FROM names WHERE name_no = ?').get(a)).toEqual({ name: 'host-a' });
  });

  it('is the existing one if another process has already assigned it', async () => {
    const { store } = await emptyStore();
    store.db.exec(`INSERT INTO names (name_no, name) VALUES (77, 'host-z')`);
    expect(await store.write(({ sql }) => nameNumbers(sql).numberOf('host-z'))).toBe(77);
  });

  it('is assigned again if its transaction was rolled back', async () => {
    const { store } = await emptyStore();
    const { numberOf } = nameNumbers(store.sql);
    let lost: number | null = null;
    await expect(
      store.write(() => {
        lost = numberOf('host-a');
        throw new Error('no room on the disk');
      }),
    ).rejects.toThrow('no room on the disk');
    const [other, anew] = await store.write(() => [numberOf('host-b'), numberOf('host-a')]);
    expect(other).toBe(lost);
    expect(anew).not.toBe(other);
    expect(store.db.prepare('SELECT name FROM names WHERE name_no = ?').get(anew)).toEqual({ name: 'host-a' });
  });
});

describe('the identity of a store', () => {
  it('is created once, and can be read along with the path where the store was created', async () => {
    const { store, path } = await emptyStore();
    store.db.exec(`DELETE FROM store_meta WHERE key = 'store_id'`);
    const db = openReader(path);
    const sql = preparer(db);
    expect(knownStoreId(sql)).toBeUndefined();
    const id = await store.write(storeId);
    expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(await store.write(storeId)).toBe(id);
    expect(knownStoreId(sql)).toBe(id);
    expect(homeOf(sql)).toBe(path);
    store.db.exec(`DELETE FROM store_meta WHERE key = 'home'`);
    expect(homeOf(sql)).toBeUndefined();
    db.close();
  });
});
