import { expect, it } from 'vitest';

import { takeSnapshot } from '../../../src/commands/live/snapshot.ts';
import { createQueries } from '../../../src/db/queries.ts';
import { makeRunningStore } from '../../helpers.ts';

it.each([
  ['those configured, in one process', {}, 'running', 30],
  ['those heard, over a broker', { broker: { url: 'stomp://127.0.0.1:1' } }, 'running', 0],
  ['unknown after its end, over a broker', { broker: { url: 'stomp://127.0.0.1:1' } }, 'completed', undefined],
])("a run's slots are %s", async (_, params, status, slots) => {
  const { store } = await makeRunningStore(params);
  store.db.exec(`UPDATE workflow_executions SET status = '${status}'`);
  const snapshot = takeSnapshot(
    createQueries(store.db, () => true),
    'latest',
  );
  expect(snapshot.slots).toBe(slots);
});
