import { expect, it } from 'vitest';

import type { ListQuery } from '../../../src/db/lists/list-query.ts';
import { listSorted } from '../../../src/db/lists/list-rows.ts';
import { Database } from '../../../src/db/sqlite/connection.ts';
import { preparer } from '../../../src/db/sqlite/statements.ts';

it('a list sorts half a million rows; with one more row it refuses and says how to narrow the list', () => {
  const db = new Database(':memory:');
  db.exec(`CREATE TABLE items (key INTEGER PRIMARY KEY, value INTEGER);
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 500000)
    INSERT INTO items SELECT n, (n * 7) % 500009 FROM numbers`);
  const query: ListQuery = {
    select: 'key, value',
    from: 'items',
    key: 'key',
    time: 'key',
    conditions: {},
    indexes: [],
    window: {},
    page: { order: 'newest', limit: 2 },
  };
  const sorted = () => listSorted<{ key: number; value: number }>(preparer(db), query, 'value');
  expect(sorted()).toEqual({
    rows: [
      { key: 1, value: 500_008 },
      { key: 2, value: 500_007 },
    ],
    total_count: 500_000,
    total_is_lower_bound: false,
    has_more: true,
    mayShift: true,
  });
  db.exec('INSERT INTO items VALUES (500001, 0)');
  expect(sorted).toThrow(
    'order_by would have to sort more than 500000 rows; narrow the selection by execution_id, a status other than completed, or a file',
  );
  db.close();
});
