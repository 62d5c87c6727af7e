import { expect, it } from 'vitest';

import { registerAgent } from '../../src/db/presence/agent-registry.ts';
import { registerProcess } from '../../src/db/presence/leases.ts';
import { currentProcess } from '../../src/lib/process-identity.ts';
import { ask, connectInProcess, makeStore } from '../helpers.ts';

it('an agent whose clock is ahead has no age, and has a status only if its process is gone', async () => {
  const { path, store } = await makeStore();
  await store.write((tx) => {
    const living = registerProcess(tx, currentProcess(), '0');
    // No process has the number of the first process of a system and another start.
    const gone = registerProcess(tx, { ...currentProcess(), pid: 1, pid_started: 'never' }, '0');
    for (const process_id of [living, gone])
      registerAgent(tx, { type: 'worker', user: 'ada', namespace: 'test', process_id });
  });
  const client = await connectInProcess(path);
  const agents = async (): Promise<unknown[]> =>
    (await ask(client, 'list_agents', { include_exited: true, order: 'oldest' }))['items'].map(
      ({ status, heartbeat_age_seconds: age }: Record<string, unknown>) => [status, typeof age],
    );
  expect(await agents()).toEqual([
    ['OK', 'number'],
    ['STALE', 'number'],
  ]);
  await store.write((tx) => {
    const ahead = new Date(Date.now() + 3_600_000).toISOString();
    tx.sql('UPDATE system_agents SET last_heartbeat = ?').run(ahead);
  });
  expect(await agents()).toEqual([
    [undefined, 'undefined'],
    ['STALE', 'undefined'],
  ]);
});
