import { describe, expect, it } from 'vitest';

import type { Store } from '../../../src/db/opening/store.ts';
import {
  noteLost,
  type ProcessEnd,
  recordEnd,
  recordHeartbeat,
  registerAgent,
} from '../../../src/db/presence/agent-registry.ts';
import { makeStore } from '../../made-store.ts';
import { at, fakeClock, register, rowsOf } from './processes.ts';

const agentRows = (store: Store): unknown[] =>
  rowsOf(store, `agent_name || ' ' || state || ' ' || last_heartbeat AS told`, 'system_agents').map(
    (row) => (row as { told: string }).told,
  );

const processRows = (store: Store): unknown[] => rowsOf(store, 'last_beat, ended', 'processes');

/** A process with two agents, on a fake clock. */
async function twoAgents() {
  const setClock = fakeClock();
  const { store } = await makeStore();
  const process_id = await register(store, 101);
  const agent = (type: string, execution_id?: string): Promise<string> =>
    store.write((tx) =>
      registerAgent(tx, { type, user: 'ada', namespace: 'test', process_id, ...(execution_id && { execution_id }) }),
    );
  const [data, worker] = [await agent('data', 'run-1'), await agent('worker')];
  return { store, setClock, process_id, data, worker };
}

describe('an agent that starts', () => {
  it('gets its own name, the state STARTING and a first heartbeat', async () => {
    const { store, data, worker } = await twoAgents();
    expect([data, worker]).toEqual(['data-agent-ada-1', 'worker-agent-ada-2']);
    expect(
      rowsOf(store, 'agent_type, namespace, state, last_heartbeat, current_execution_id', 'system_agents'),
    ).toEqual([
      {
        agent_type: 'data',
        namespace: 'test',
        state: 'STARTING',
        last_heartbeat: at(0),
        current_execution_id: 'run-1',
      },
      { agent_type: 'worker', namespace: 'test', state: 'STARTING', last_heartbeat: at(0), current_execution_id: null },
    ]);
  });
});

describe('a heartbeat', () => {
  it('updates its process and agents; agents keep their executions if it names none', async () => {
    const { store, setClock, process_id, data, worker } = await twoAgents();
    const beat = (beats: [string, { state: 'READY' | 'PROCESSING'; execution_id?: string }][]): Promise<void> =>
      store.write((tx) => recordHeartbeat(tx, process_id, new Map(beats)));
    setClock(5);
    await beat([
      [data, { state: 'READY' }],
      [worker, { state: 'PROCESSING', execution_id: 'run-2' }],
    ]);
    expect(agentRows(store)).toEqual([`${data} READY ${at(5)}`, `${worker} PROCESSING ${at(5)}`]);
    setClock(10);
    await beat([[worker, { state: 'READY' }]]);
    expect(agentRows(store)).toEqual([`${data} READY ${at(5)}`, `${worker} READY ${at(10)}`]);
    expect(rowsOf(store, 'current_execution_id AS id', 'system_agents')).toEqual([{ id: 'run-1' }, { id: 'run-2' }]);
    expect(processRows(store)).toEqual([{ last_beat: at(10), ended: null }]);
  });
});

describe('the end of a process', () => {
  it.each<[ended: ProcessEnd, state: string]>([
    ['order', 'EXITED'],
    ['fault', 'STARTING'],
    ['lost', 'STARTING'],
  ])('recorded as "%s" leaves its agents in state %s', async (ended, state) => {
    const { store, setClock, process_id, data, worker } = await twoAgents();
    await register(store, 102);
    setClock(7);
    await store.write((tx) => recordEnd(tx, process_id, ended));
    expect(agentRows(store)).toEqual([`${data} ${state} ${at(7)}`, `${worker} ${state} ${at(7)}`]);
    expect(processRows(store)).toEqual([
      { last_beat: at(7), ended },
      { last_beat: at(0), ended: null },
    ]);
  });

  it('noted by another process changes neither the last sign of life nor a recorded end', async () => {
    const { store, setClock, process_id, data, worker } = await twoAgents();
    const other = await register(store, 102);
    const living = await register(store, 103);
    const stays = await store.write((tx) =>
      registerAgent(tx, { type: 'worker', user: 'ada', namespace: 'test', process_id: living }),
    );
    setClock(7);
    await store.write((tx) => recordEnd(tx, process_id, 'fault'));
    setClock(9);
    for (const id of [process_id, other]) await store.write((tx) => noteLost(tx, id));
    expect(agentRows(store)).toEqual([
      `${data} EXITED ${at(7)}`,
      `${worker} EXITED ${at(7)}`,
      `${stays} STARTING ${at(0)}`,
    ]);
    expect(rowsOf(store, 'last_beat, ended', 'processes')).toEqual([
      { last_beat: at(7), ended: 'fault' },
      { last_beat: at(0), ended: 'lost' },
      { last_beat: at(0), ended: null },
    ]);
  });
});
