import { describe, expect, it } from 'vitest';

import { createAgentDirectory } from '../../src/exchange/agent-directory.ts';
import { ExecutionViews } from '../../src/exchange/execution-views.ts';
import { createTelemetryInbox } from '../../src/recorder/telemetry.ts';
import { turns } from '../still-time.ts';
import { heartbeat } from './beats.ts';
import { destinations, execution_id, namespace, setUp } from './setup.ts';

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

/** The telemetry inbox of a recorder, and what comes of the messages on the topic. */
async function listen() {
  const made = await setUp();
  const { store, theirs, ours, faults } = made;
  const warnings: string[] = [];
  const counts = { heard: 0, newcomers: 0 };
  const directory = createAgentDirectory();
  const views = new ExecutionViews();
  const inbox = createTelemetryInbox({
    store,
    namespace,
    storeId: 'our store',
    destinations,
    directory,
    views,
    onHeard: () => (counts.heard += 1),
    onNewcomer: () => (counts.newcomers += 1),
    warn: (line) => warnings.push(line),
    onFault: (error) => faults.push(error),
  });
  ours.subscribe(inbox);
  const [execution] = store.db.prepare<[], { params: string }>('SELECT params FROM workflow_executions').all();
  const { plan_version, ...workflow_params } = JSON.parse(execution?.params ?? '{}');
  const say = async (body: object, header = namespace): Promise<void> => {
    await theirs.send({
      destination: destinations.telemetry,
      headers: { namespace: header, msg_type: 'any', 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    await turns();
  };
  const sayState = (sender: string, store_id: string, more: object = {}): Promise<void> =>
    say({ ...state, sender, namespace, store_id, plan_version, workflow_params, ...more });
  const agents = (): unknown[] =>
    store.db
      .prepare(
        "SELECT agent_name AS name, state FROM system_agents JOIN processes USING (process_id) WHERE hostname = 'elsewhere' ORDER BY name",
      )
      .all();
  const lines = (): string[] =>
    store.db
      .prepare<[], { message: string }>('SELECT message FROM app_logs')
      .all()
      .map(({ message }) => message);
  return { ...made, warnings, counts, directory, views, say, sayState, agents, lines };
}

const log = (...messages: string[]) => ({
  msg_type: 'agent_log',
  sender: 'worker-1',
  namespace,
  since: '2026-01-01T00:00:00.000Z',
  lines: messages.map((message, at) => ({ n: at + 1, timestamp: '2026-01-01T00:00:01.000Z', level: 'INFO', message })),
});

describe('the reports of remote agents', () => {
  it('are stored as they arrive, even many at the same time, and show the work in hand', async () => {
    const { say, agents, lines, directory, counts, faults } = await listen();
    const beats = ['worker-1', 'worker-2', 'worker-3'].map((name) =>
      heartbeat(name, 'worker', { in_hand: [`${name}'s`], state: 'PROCESSING' }),
    );
    await Promise.all([...beats.map((beat) => say(beat)), say(log('first', 'second'))]);
    expect(agents()).toEqual(beats.map(({ agent_name: name }) => ({ name, state: 'PROCESSING' })));
    expect(lines()).toEqual(['first', 'second']);
    expect(directory.inHand()).toEqual(new Set(["worker-1's", "worker-2's", "worker-3's"]));
    await say(heartbeat('worker-1', 'worker', { state: 'EXITED' }));
    expect(agents()).toContainEqual({ name: 'worker-1', state: 'EXITED' });
    expect(directory.inHand()).toEqual(new Set(["worker-2's", "worker-3's"]));
    expect(counts.heard).toBe(5);
    expect(faults).toEqual([]);
  });

  it('mark an agent as a newcomer once after each of its starts', async () => {
    const { say, counts } = await listen();
    await say(heartbeat('data-1', 'data'));
    await say(heartbeat('data-1', 'data'));
    expect(counts.newcomers).toBe(1);
    await say(heartbeat('data-1', 'data', { since: '2026-01-02T00:00:00.000Z' }));
    await say(log('a line'));
    expect(counts).toEqual({ newcomers: 2, heard: 4 });
  });

  it('are ignored if unreadable or from another namespace, but still show that the connection works', async () => {
    const { say, agents, counts, directory, sayState, views, warnings } = await listen();
    await say({ msg_type: 'agent_heartbeat', namespace });
    await say({ msg_type: 'something else', namespace });
    await say({ ...heartbeat('worker-1'), namespace: 'other' });
    await sayState('daq-x', 'theirs', { namespace: 'other' });
    await say(heartbeat('worker-2'), 'other');
    expect(counts).toEqual({ heard: 4, newcomers: 0 });
    expect([agents(), directory.hasOnDuty('worker'), views.stateOf(execution_id), warnings]).toEqual([
      [],
      false,
      undefined,
      [],
    ]);
  });

  it('from a worker of an earlier build are refused with one warning, and its work in hand is ignored', async () => {
    const { say, agents, directory, warnings } = await listen();
    for (let round = 0; round < 2; round += 1) await say(heartbeat('old', 'worker', { wire: 1, version: '0.9' }));
    await say(heartbeat('other', 'worker', { wire: 1, version: '0.9' }));
    await say(heartbeat('new', 'worker'));
    expect(warnings).toEqual([
      "old on elsewhere is refused: it uses message version 1, but this recorder uses 2; install the recorder's version of swf-mcp there (that host has 0.9)",
      expect.stringMatching(/^other on elsewhere is refused/),
    ]);
    expect(directory.inHand()).toEqual(new Set());
    expect(directory.hasOnDuty('worker')).toBe(true);
    expect(agents()).toHaveLength(3);
  });

  it('cause a fault if they cannot be recorded, and later reports are recorded', async () => {
    const { say, agents, faults, store } = await listen();
    store.db.exec('ALTER TABLE system_agents RENAME TO away');
    await say(heartbeat('worker-1'));
    expect(faults).toHaveLength(1);
    store.db.exec('ALTER TABLE away RENAME TO system_agents');
    await say(heartbeat('worker-2'));
    expect(agents()).toEqual([{ name: 'worker-2', state: 'READY' }]);
  });
});

describe('other recorders of a namespace', () => {
  it('are recognized by their runs or heartbeats if they have another store, and reported once', async () => {
    const { say, sayState, warnings, faults, agents, views } = await listen();
    const recorder = (name: string, more: object = {}): Promise<void> => say(heartbeat(name, 'daq_simulator', more));
    await recorder('ours', { store_id: 'our store' });
    await recorder('of an earlier build');
    await sayState('ours', 'our store');
    expect([warnings, views.stateOf(execution_id)]).toEqual([[], undefined]);
    await recorder('daq-a', { store_id: 'their store' });
    await sayState('daq-a', 'their store');
    await sayState('daq-b', 'a third store', { epoch: 3 });
    expect(warnings).toEqual([
      `daq-a, process 4711 on elsewhere, is recording namespace test on this broker into another store: each store has only its own executions, and a request may go to either store; give one of the stores its own namespace (testbed.namespace)`,
      expect.stringMatching(/^daq-b is recording namespace test /),
    ]);
    // Their executions are known here; their recorders are not agents of ours.
    expect(views.stateOf(execution_id)).toMatchObject({ store_id: 'a third store', epoch: 3 });
    expect([agents(), faults]).toEqual([[], []]);
  });
});
