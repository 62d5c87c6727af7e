import { describe, expect, it } from 'vitest';

import type { Store } from '../../../src/db/opening/store.ts';
import { registerAgent } from '../../../src/db/presence/agent-registry.ts';
import { forgiveSilence, noteHeard, noteUnheard } from '../../../src/db/presence/remote-agents.ts';
import type { AgentHeartbeat } from '../../../src/messages/telemetry.ts';
import { makeRunningStore, makeStore } from '../../made-store.ts';
import { at, fakeClock, hear, register, rowsOf } from './processes.ts';

const run = 'stf_datataking-tester-0001';

const agentOf = ({ sql }: Store, name = 'w') =>
  sql<[string], Record<string, unknown>>('SELECT * FROM system_agents WHERE agent_name = ?').get(name);

const warnings = (store: Store): unknown[] =>
  rowsOf(store, 'timestamp, level, agent, message, execution_id', 'app_logs');

describe('a heartbeat of a remote agent', () => {
  it('registers its process and agent; the next heartbeat updates them', async () => {
    const setClock = fakeClock();
    const { store } = await makeRunningStore();
    const off_duty = [{ reason: 'NO_PAYLOAD', name: 'reco' }];
    const in_hand = [`${run}/start_run`, 'unknown'];
    await hear(store, { state: 'PROCESSING', in_hand, free_slots: 3, off_duty });
    expect(rowsOf(store, '*', 'processes')).toEqual([
      {
        process_id: 1,
        pid: 7,
        pid_started: at(0),
        hostname: 'host-r',
        version: '1.2.3',
        is_remote: 1,
        registered_at: at(0),
        last_beat: at(0),
        ended: null,
        logged_n: 0,
      },
    ]);
    const first = agentOf(store);
    expect(first).toEqual({
      seq: 1,
      agent_name: 'w',
      agent_type: 'worker',
      namespace: 'test',
      state: 'PROCESSING',
      process_id: 1,
      last_heartbeat: at(0),
      current_execution_id: run,
      slots: 5,
      free_slots: 3,
      wire: 2,
      off_duty: JSON.stringify(off_duty),
      clock_offset: null,
      unheard_since: null,
      heard_on: null,
    });
    setClock(5);
    await hear(store, { slots: 9, free_slots: 8, namespace: 'other', wire: 3, timestamp: at(5.26) });
    // Its last execution stays known.
    const changed = { last_heartbeat: at(5), state: 'READY', namespace: 'other', wire: 3, slots: 9, free_slots: 8 };
    expect(agentOf(store)).toEqual({ ...first, ...changed, off_duty: null, clock_offset: 0.3 });
    expect(rowsOf(store, 'registered_at, last_beat', 'processes')).toEqual([
      { registered_at: at(0), last_beat: at(5) },
    ]);
    expect(warnings(store)).toEqual([]);
  });

  it('sets no execution if the store does not know the first message in hand', async () => {
    const { store } = await makeRunningStore();
    await hear(store, { in_hand: ['unknown', `${run}/start_run`] });
    expect(agentOf(store)?.['current_execution_id']).toBeNull();
  });

  it.each<[what: string, seconds: number, told: number | null]>([
    ['no offset just under 2 s', 1.999, null],
    ['an offset at 2 s', 2, 0],
    ['an offset at 10 s', 10, 0],
    ['no offset just over 10 s', 10.001, null],
  ])(
    'shows the clock offset if it comes about one interval after the previous one: %s',
    async (_what, seconds, told) => {
      const setClock = fakeClock();
      const { store } = await makeStore();
      await hear(store, {});
      setClock(seconds);
      await hear(store, { timestamp: at(seconds) });
      expect(agentOf(store)?.['clock_offset']).toBe(told);
      for (const later of [5, 10]) {
        setClock(seconds + later);
        await hear(store, { timestamp: at(seconds + later - 60) });
      }
      expect(agentOf(store)?.['clock_offset']).toBe(-60);
      setClock(seconds + 15);
      await hear(store, { pid: 8, since: at(9), timestamp: at(0) });
      // The offset of another process is not known yet.
      expect(agentOf(store)?.['clock_offset']).toBeNull();
    },
  );

  it('never changes an agent of this store, even one with the same name', async () => {
    fakeClock();
    const { store } = await makeStore();
    const process_id = await register(store, 101);
    const own = { type: 'worker', user: 'ada', namespace: 'test', process_id };
    const name = await store.write((tx) => registerAgent(tx, own));
    const before = agentOf(store, name);
    for (const state of ['PROCESSING', 'EXITED'] as const) await hear(store, { agent_name: name, state, since: at(9) });
    expect(agentOf(store, name)).toEqual(before);
    expect(warnings(store)).toEqual([]);
  });

  it('marks its process as ended if the state is EXITED, until the next heartbeat', async () => {
    const { store } = await makeStore();
    const now = () => [agentOf(store)?.['state'], ...rowsOf(store, 'ended', 'processes WHERE pid = 7')];
    await hear(store, { agent_name: 'another', pid: 6 });
    await hear(store, {});
    await hear(store, { state: 'EXITED' });
    expect(now()).toEqual(['EXITED', { ended: 'order' }]);
    await hear(store, {});
    expect(now()).toEqual(['READY', { ended: null }]);
  });

  it('that reports an end late does not end a successor with the same name', async () => {
    const { store } = await makeStore();
    await hear(store, { pid: 7, since: at(0) });
    await hear(store, { pid: 8, since: at(1) });
    await hear(store, { pid: 7, since: at(0), state: 'EXITED' });
    expect(agentOf(store)).toMatchObject({ state: 'READY', process_id: 2 });
    expect(rowsOf(store, 'pid, ended', 'processes')).toEqual([
      { pid: 7, ended: 'order' },
      { pid: 8, ended: null },
    ]);
  });
});

it('a name that two live processes use belongs to the older process, until that process falls silent', async () => {
  const setClock = fakeClock();
  const { store } = await makeRunningStore();
  const [elder, younger] = [{ pid: 7 }, { pid: 8, since: at(1) }];
  const pids: unknown[] = [];
  for (const [second, beat] of [
    [2, elder],
    [3, younger],
    [7, elder],
    [8, younger],
    [12, elder],
    [13, younger],
    [28, younger],
  ] as const) {
    setClock(second);
    await hear(store, beat);
    pids.push(rowsOf(store, 'pid', 'system_agents JOIN processes USING (process_id)')[0]);
  }
  expect(pids).toEqual([7, 8, 7, 7, 7, 7, 8].map((pid) => ({ pid })));
  expect(warnings(store)).toHaveLength(2);
});

describe('a remote agent that restarts', () => {
  it.each<[what: string, before: Partial<AgentHeartbeat> | undefined, next: Partial<AgentHeartbeat>, warns: boolean]>([
    [
      'is logged if its predecessor has not reported its end and may still be running',
      {},
      { pid: 8, since: at(0.001) },
      true,
    ],
    ['is not logged without a predecessor', undefined, { pid: 8, since: at(1) }, false],
    ['is not logged if its predecessor reported its end', { state: 'EXITED' }, { pid: 8, since: at(1) }, false],
    ['is not logged if its process is the same', {}, {}, false],
    ['is not logged if the heartbeat is from an older process', {}, { pid: 8, since: at(-1) }, false],
  ])('%s', async (_what, before, next, warns) => {
    const setClock = fakeClock();
    const { store } = await makeRunningStore();
    if (before !== undefined) await hear(store, { in_hand: [`${run}/start_run`], ...before });
    setClock(60);
    await hear(store, { hostname: 'host-s', ...next });
    const message =
      'process 8 on host-s has started under the name of process 7, which has not reported its end: it was killed or is still running';
    expect(warnings(store)).toEqual(
      warns ? [{ timestamp: at(60), level: 30, agent: 'w', message, execution_id: run }] : [],
    );
  });
});

describe('an agent whose messages about slices do not arrive', () => {
  it('is marked at the first lost message, until one arrives or another process takes its name', async () => {
    const setClock = fakeClock();
    const { store } = await makeStore();
    const unheard = () => [agentOf(store)?.['unheard_since'], agentOf(store, 'other')?.['unheard_since']];
    await hear(store, {});
    await hear(store, { agent_name: 'other', pid: 9 });
    setClock(1);
    await store.write((tx) => noteUnheard(tx, 'w'));
    setClock(2);
    await store.write((tx) => noteUnheard(tx, 'w'));
    await hear(store, {});
    expect(unheard()).toEqual([at(1), null]);
    await store.write((tx) => noteHeard(tx, 'other'));
    expect(unheard()).toEqual([at(1), null]);
    await store.write((tx) => noteHeard(tx, 'w'));
    expect(unheard()).toEqual([null, null]);
    await store.write((tx) => noteUnheard(tx, 'w'));
    await hear(store, { pid: 8, since: at(1) });
    expect(unheard()).toEqual([null, null]);
  });
});

describe('a recorder that was cut off', () => {
  it('does not count its own absence as silence of live agents', async () => {
    const setClock = fakeClock();
    const { store } = await makeStore();
    const own = await register(store, 101);
    await hear(store, { agent_name: 'long gone', pid: 1 });
    setClock(10);
    for (const [n, agent_name] of ['heard', 'ended', 'foreign', 'nowhere'].entries())
      await hear(store, { agent_name, pid: n + 2 });
    store.db.exec(`UPDATE processes SET ended = 'order' WHERE pid = 3; UPDATE processes SET hostname = '' WHERE pid = 5;
      UPDATE system_agents SET heard_on = 'x' WHERE agent_name = 'foreign'; UPDATE processes SET last_beat = '${at(10)}' WHERE process_id = ${own}`);
    setClock(70);
    await store.write((tx) => forgiveSilence(tx, at(10)));
    const signs = `agent_name, last_heartbeat, last_beat`;
    expect(rowsOf(store, signs, 'system_agents JOIN processes USING (process_id) ORDER BY seq')).toEqual([
      { agent_name: 'long gone', last_heartbeat: at(0), last_beat: at(0) },
      { agent_name: 'heard', last_heartbeat: at(70), last_beat: at(70) },
      { agent_name: 'ended', last_heartbeat: at(10), last_beat: at(10) },
      { agent_name: 'foreign', last_heartbeat: at(10), last_beat: at(70) },
      { agent_name: 'nowhere', last_heartbeat: at(70), last_beat: at(10) },
    ]);
    expect(rowsOf(store, 'last_beat', `processes WHERE process_id = ${own}`)).toEqual([{ last_beat: at(10) }]);
  });
});
