import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { keptCount, listStfFiles } from '../../../src/db/lists/files.ts';
import type { Page } from '../../../src/db/lists/list-query.ts';
import { countAllMessages, countMessages } from '../../../src/db/lists/message-counts.ts';
import { rowsOfBlock } from '../../../src/db/notes/row-blocks.ts';
import { makeRunningStore, type TestStore } from '../../made-store.ts';
import { ada, bob, knownRuns } from './known-runs.ts';

let made: TestStore;

beforeAll(async () => {
  made = await knownRuns();
});
afterAll(() => made.store.close());

describe('the counts of messages', () => {
  it('cover full blocks and later rows, by type, for one execution and for all', async () => {
    const { store, say } = await makeRunningStore();
    const { sql } = store;
    const execution_id = 'stf_datataking-tester-0001';
    const add = (from: number, count: number): Promise<unknown> =>
      Promise.all(
        Array.from({ length: count }, (_, at) => say('resume_run', { ordinal: from + at, reason: 'operator' })),
      );
    const told = () => [countMessages(sql, execution_id).get('resume_run'), countAllMessages(sql, execution_id)];
    expect(told()).toEqual([undefined, 3]);
    await add(1, rowsOfBlock);
    await add(rowsOfBlock + 1, 3);
    expect(told()).toEqual([rowsOfBlock + 3, rowsOfBlock + 6]);
    expect(Object.fromEntries(countMessages(sql))).toEqual({
      run_workflow: 1,
      run_imminent: 1,
      start_run: 1,
      resume_run: rowsOfBlock + 3,
    });
    expect([countMessages(sql, 'nobody').size, countAllMessages(sql, 'nobody')]).toEqual([0, 0]);
  });
});

describe('a stored count', () => {
  it('exists for one run and for all runs, but not for other conditions', () => {
    const { sql } = made.store;
    const kept = (of: Parameters<typeof keptCount>[2], ...others: unknown[]) =>
      keptCount(sql, 'slices_created', of, others);
    expect([kept({}), kept({ execution_id: ada }), kept({ run_number: 100_011 })]).toEqual([6, 4, 2]);
    expect([kept({ run_number: 1 }), kept({ execution_id: ada, run_number: 100_010 })]).toEqual([undefined, undefined]);
    expect([kept({}, undefined, false), kept({}, undefined)]).toEqual([undefined, 6]);
  });

  it('that covers all executions is not used while an execution is being removed', () => {
    const { db, sql } = made.store;
    const page: Page = { order: 'newest', limit: 1 };
    db.exec(
      `BEGIN; INSERT INTO removals (execution_id) VALUES ('${ada}'); DELETE FROM run_states WHERE execution_id = '${ada}'`,
    );
    try {
      // Its rows are still there.
      expect(listStfFiles(sql, {}, page).total_count).toBe(4);
      expect(listStfFiles(sql, { execution_id: bob }, page).total_count).toBe(2);
    } finally {
      db.exec('ROLLBACK');
    }
    expect(listStfFiles(sql, {}, page).total_count).toBe(4);
  });
});
