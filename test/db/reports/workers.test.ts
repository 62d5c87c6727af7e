import { expect, it } from 'vitest';

import { requireExecution } from '../../../src/db/execution/find-execution.ts';
import { workersFacts } from '../../../src/db/reports/observed/workers.ts';
import { noResultSeconds } from '../../../src/monitoring/heard-facts.ts';
import { makeStore } from '../../made-store.ts';
import { insert, observe } from '../observed/observed-rows.ts';

const until = Date.parse('2026-11-30T12:00:00Z');
const ago = (seconds: number): string => new Date(until - seconds * 1000).toISOString();

it('workers count as gone if they are silent, and as occupied if they serve an earlier run', async () => {
  const { store } = await makeStore();
  await store.write((tx) => {
    for (const [execution_id, first_ms] of [
      ['earlier', 0],
      ['asked', 1],
      ['twin', 1],
      ['later', 2],
    ] as const)
      observe(
        tx,
        { execution_id, namespace: 'a', run_id: `run of ${execution_id}`, first_ms },
        {},
        { slices_queued: 1 },
      );
    insert(tx, 'processes', {
      pid: 1,
      pid_started: '1',
      hostname: 'h',
      version: '1',
      registered_at: ago(0),
      last_beat: ago(0),
    });
    const worker = (agent_name: string, run: string, seconds: number, more = {}): void =>
      insert(tx, 'system_agents', {
        agent_name,
        agent_type: 'worker',
        namespace: 'a',
        state: 'READY',
        last_heartbeat: ago(seconds),
        process_id: 1,
        current_execution_id: run,
        heard_on: 'h',
        ...more,
      });
    worker('of the run, heard', 'asked', 0);
    worker('of the run, just heard', 'asked', noResultSeconds([]));
    worker('of the run, silent', 'asked', 3600);
    worker('of an earlier run, just heard', 'earlier', noResultSeconds([]));
    worker('of a run that began with it', 'twin', 0);
    worker('of an earlier run', 'earlier', 0);
    worker('of an earlier run, silent', 'earlier', 3600);
    worker('of a later run', 'later', 0);
    worker('of an unknown run', 'unknown', 0);
    worker('elsewhere', 'earlier', 0, { namespace: 'b' });
    worker('our own', 'earlier', 0, { heard_on: null });
  });
  const execution = requireExecution(store.sql, 'asked');
  const asked = { until, delays: [], isOver: false };
  expect(workersFacts(store.sql, execution, asked)).toEqual({
    gone_workers: ['of the run, silent'],
    bound_workers: ['of an earlier run', 'of an earlier run, just heard'].map((worker) => ({
      worker,
      run_id: 'run of earlier',
    })),
  });
  const none = { gone_workers: [], bound_workers: [] };
  expect(workersFacts(store.sql, execution, { ...asked, isOver: true })).toEqual(none);
  expect(workersFacts(store.sql, { ...execution, slices_queued: 0 }, asked)).toEqual(none);
});
