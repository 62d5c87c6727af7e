import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Page } from '../../../src/db/lists/list-query.ts';
import { listMessages, type MessageFilter } from '../../../src/db/lists/messages.ts';
import { createWordSearch } from '../../../src/db/lists/word-search.ts';
import { beginPhysics, makeStoreForAll, type TestStore } from '../../made-store.ts';

let made: TestStore;

/** Repeats the message that started physics, each time in a new row. */
const repeat = (count: number): void => {
  made.store.db.exec(
    `INSERT INTO message_rows (short_id, type_no, sender_no, namespace_no, execution_no, run_no, sent_ms, recorded_ms, effect, is_whole, body)
     WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count})
     SELECT 'many ' || (SELECT max(seq) FROM message_rows) || ' ' || n, type_no, sender_no, namespace_no, execution_no, run_no, sent_ms, recorded_ms, effect, is_whole, body
     FROM numbers, (SELECT * FROM message_rows WHERE short_id LIKE '%/start_run')`,
  );
};

const long = '2020-01-01T00:00:00.000Z';
const elsewhere = { execution_id: 'stf_datataking-zoe-0099', run_id: '100099' };

beforeAll(async () => {
  made = await makeStoreForAll();
  await beginPhysics(made);
  const resume = (ordinal: number, fields: object): Promise<unknown> =>
    made.say('resume_run', { ordinal, reason: 'operator', ...fields });
  await resume(1, { namespace: 'early' });
  repeat(6000);
  await resume(2, elsewhere);
  await resume(3, { ...elsewhere, timestamp: long });
  repeat(11_000);
  await resume(4, { namespace: 'late' });
  // The next write notes the blocks that are full.
  await made.store.write(() => {});
});
afterAll(() => made.store.close());

const list = (filter: MessageFilter, page: Partial<Page> = {}) => {
  const listed = listMessages(
    made.store.sql,
    filter,
    { order: 'newest', limit: 2, ...page },
    createWordSearch(made.store.sql),
  );
  const ordinals = listed.rows.map(({ payload }) => (JSON.parse(payload) as { ordinal?: number }).ordinal);
  return { ordinals, count: listed.total_count, more: listed.has_more };
};

describe('a few messages among very many', () => {
  it.each<[what: string, filter: MessageFilter, order: Page['order'], ordinals: number[]]>([
    ['by an old namespace', { namespace: 'early' }, 'newest', [1]],
    ['by a new namespace, oldest first', { namespace: 'late' }, 'oldest', [4]],
    ['only by a known namespace', { namespace: 'nobody' }, 'newest', []],
    ['by run and agent', { agent: 'tester', run_id: '100099' }, 'newest', [3, 2]],
    ['by execution and agent', { agent: 'tester', execution_id: elsewhere.execution_id }, 'oldest', [2, 3]],
    ['by a time window', { start_time: long, end_time: long }, 'newest', [3]],
    ['by an end time', { end_time: long }, 'newest', [3]],
    ['by type and run', { message_type: 'resume_run', run_id: '100099' }, 'newest', [3, 2]],
    ['by effect and run', { effect: 'none', run_id: '100099' }, 'newest', [3, 2]],
    ['by word, agent and run', { search: 'operator', agent: 'tester', run_id: '100099' }, 'oldest', [2, 3]],
    ['by word and end time', { search: 'operator', end_time: long }, 'newest', [3]],
  ])('are found %s', (_what, filter, order, ordinals) => {
    expect(list(filter, { order })).toEqual({ ordinals, count: ordinals.length, more: false });
  });

  it('are counted exactly: in total, by execution and by type', () => {
    expect(list({}).count).toBe(17_007);
    expect(list({ execution_id: 'stf_datataking-tester-0001' }).count).toBe(17_005);
    expect(list({ message_type: 'start_run' }).count).toBe(17_001);
    expect(list({ message_type: 'resume_run', execution_id: elsewhere.execution_id }).count).toBe(2);
  });
});
