import { expect, it } from 'vitest';

import { AgentDirectory } from '../../src/exchange/agent-directory.ts';
import { ExecutionViews } from '../../src/exchange/execution-views.ts';
import { bootId, currentProcess } from '../../src/lib/process-identity.ts';
import { TelemetryInbox } from '../../src/recorder/telemetry.ts';
import { destinations, execution_id, namespace, setUp } from './setup.ts';

const recorderBeat = {
  msg_type: 'agent_heartbeat',
  agent_type: 'daq_simulator',
  state: 'READY',
  in_hand: [],
  free_slots: 0,
  off_duty: [],
  hostname: 'elsewhere',
  version: '1',
  wire: 2,
  since: '2026-01-01T00:00:00.000Z',
};

const state = {
  msg_type: 'execution_state',
  execution_id,
  epoch: 1,
  run_id: '7',
  phase: 'physics',
  status: 'running',
  held: false,
  max_retries: 3,
};

it('a recorder of another store in the namespace is told of once, by its runs or by its heartbeat', async () => {
  const { store, theirs, ours, faults } = await setUp();
  const warnings: string[] = [];
  const inbox = new TelemetryInbox({
    store,
    namespace,
    storeId: 'our store',
    destination: destinations.telemetry,
    directory: new AgentDirectory(),
    views: new ExecutionViews(),
    onHeard: () => {},
    onNewcomer: () => {},
    warn: (line) => warnings.push(line),
    onFault: (error) => faults.push(error),
  });
  ours.subscribe(inbox.subscription());
  const [execution] = store.db.prepare<[], { params: string }>('SELECT params FROM workflow_executions').all();
  const { plan_version, ...workflow_params } = JSON.parse(execution?.params ?? '{}');
  const say = (sender: string, body: object) =>
    theirs.send({
      destination: destinations.telemetry,
      headers: { namespace, msg_type: 'any', 'content-type': 'application/json' },
      body: JSON.stringify({ sender, namespace, agent_name: sender, ...body }),
    });
  const { pid } = currentProcess();
  await say('ours', { ...recorderBeat, pid, boot_id: bootId(), store_id: 'our store' });
  await say('ours', { ...state, store_id: 'our store', plan_version, workflow_params });
  await say('daq-a', { ...recorderBeat, pid: 4711, boot_id: bootId(), store_id: 'their store' });
  await say('daq-a', { ...state, store_id: 'their store', plan_version, workflow_params });
  await say('daq-b', { ...state, store_id: 'a third store', plan_version, workflow_params });
  await expect.poll(() => warnings.length).toBe(2);
  expect(warnings[0]).toMatch(
    /^daq-a, process 4711 on elsewhere, records namespace test on this broker into another store: /,
  );
  expect(warnings[1]).toMatch(/^daq-b records /);
  expect(faults).toEqual([]);
});
