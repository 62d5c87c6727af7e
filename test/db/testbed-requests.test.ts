import { join } from 'node:path';

import { expect, it } from 'vitest';

import { openStore } from '../../src/db/opening/open-store.ts';
import { sentAt, takeRequest, withdrawRequest } from '../../src/db/stand-in/requests.ts';
import { temporaryFolder } from '../helpers.ts';

it('an observer takes each request for its namespaces once, but none that is withdrawn or too old', async () => {
  const store = await openStore(join(temporaryFolder(), 'swf.db'));
  const now = 1_800_000_000_000;
  await store.write((tx) => {
    const insert = tx.sql('INSERT INTO testbed_requests (asked_ms, asked_by, namespace, body) VALUES (?, ?, ?, ?)');
    for (const [asked, namespace] of [
      [now, 'a'],
      [now, 'b'],
      [now, 'a'],
      [now - 61_000, 'a'],
    ] as const)
      insert.run(asked, 'me', namespace, '{}');
  });
  const take = (namespaces: string[]) => store.write((tx) => takeRequest(tx, namespaces, now + 1)?.request_id);
  expect(await take(['b'])).toBe(2);
  expect(await take(['b'])).toBeUndefined();
  expect(await store.write((tx) => withdrawRequest(tx, 3))).toBe(true);
  expect(await store.write((tx) => withdrawRequest(tx, 2))).toBe(false);
  expect(await take([])).toBe(1);
  expect(await take([])).toBeUndefined();
  expect([sentAt(store.sql, 1), sentAt(store.sql, 3)]).toEqual([now + 1, undefined]);
  store.close();
});
