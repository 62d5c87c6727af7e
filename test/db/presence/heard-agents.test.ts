import { describe, expect, it } from 'vitest';

import { createLogLineWriter } from '../../../src/db/log/log-lines.ts';
import {
  heardWorkers,
  livingTypes,
  troubledAgents,
  warningOf,
  workerSlots,
} from '../../../src/db/presence/agent-registry.ts';
import { makeStore } from '../../made-store.ts';
import { at, fakeClock, register } from './processes.ts';

/** Kinds of work that an agent cannot do, as it reports them. */
const cannot = (...names: string[]): string =>
  JSON.stringify(names.map((name) => ({ reason: 'NO_PAYLOAD', name, since: at(0) })));

interface Made {
  type?: string;
  namespace?: string;
  state?: string;
  /** Seconds since its last sign. */
  age?: number;
  slots?: number | null;
  off_duty?: string | null;
  wire?: number | null;
  heard_on?: string | null;
  unheard_since?: string | null;
}

/** A store with the given agents of two processes. */
async function agentsLike(own: Record<string, Made>, ofOther: Record<string, Made> = {}) {
  fakeClock();
  const { store } = await makeStore();
  const [recorder, other] = [await register(store, 101), await register(store, 102, 'host-b')];
  await store.write(({ sql }) => {
    for (const [process_id, agents] of [
      [recorder, own],
      [other, ofOther],
    ] as const)
      for (const [name, made] of Object.entries(agents))
        sql(
          `INSERT INTO system_agents (agent_name, agent_type, namespace, state, last_heartbeat, process_id, slots, off_duty, wire, heard_on, unheard_since)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        ).run(
          name,
          made.type ?? 'worker',
          made.namespace ?? 'test',
          made.state ?? 'READY',
          at(-(made.age ?? 0)),
          process_id,
          made.slots ?? null,
          made.off_duty ?? null,
          made.wire ?? null,
          made.heard_on ?? null,
          made.unheard_since ?? null,
        );
  });
  return { store, recorder };
}

describe('the live agents of a namespace', () => {
  it('are our own agents that were heard in the last 30 s, listed by type', async () => {
    const { store } = await agentsLike({
      heard: { type: 'data' },
      late: { type: 'fastmon', age: 29.999 },
      silent: { type: 'worker', age: 30 },
      gone: { type: 'daq_simulator', state: 'EXITED' },
      elsewhere: { type: 'fast_processing', namespace: 'other' },
      foreign: { type: 'stranger', heard_on: 'host-c' },
    });
    expect([...livingTypes(store.sql, 'test', () => true)].toSorted()).toEqual(['data', 'fastmon']);
    expect([...livingTypes(store.sql, 'other', () => true)]).toEqual(['fast_processing']);
    expect(livingTypes(store.sql, 'test', () => false).size).toBe(0);
  });

  const workers: Record<string, Made> = {
    able: { slots: 4, wire: 2 },
    late: { slots: 1, age: 20, off_duty: cannot('other') },
    unable: { slots: 2, off_duty: cannot('other', 'reco') },
    refused: { slots: 8, wire: 1 },
    silent: { slots: 16, age: 30 },
    gone: { slots: 32, state: 'EXITED' },
    elsewhere: { slots: 64, namespace: 'other' },
    foreign: { slots: 128, heard_on: '' },
    data: { slots: 256, type: 'data' },
  };

  it('include workers, with the work that they cannot do', async () => {
    const { store, recorder } = await agentsLike({ own: {} }, workers);
    const heard = heardWorkers(store.sql, 'test', () => true);
    expect(heard.map(({ agent, off_duty: kinds }) => [agent, kinds.map(({ name }) => name)])).toEqual([
      ['own', []],
      ['able', []],
      ['late', ['other']],
      ['unable', ['other', 'reco']],
    ]);
    expect(heard.slice(0, 2)).toMatchObject([
      { hostname: 'host-a', process_id: recorder, slots: null },
      { hostname: 'host-b', slots: 4 },
    ]);
  });

  it('offer a payload the slots of the recorder and of all workers that do not lack it', async () => {
    const { store, recorder } = await agentsLike({ own: {} }, { ...workers, 'of another store': {} });
    const slots = (payload: string | undefined): number =>
      workerSlots(
        store.sql,
        { namespace: 'test', recorder: { process_id: recorder, slots: 1000 }, payload },
        () => true,
      );
    expect([slots(undefined), slots('reco'), slots('other'), slots('unknown')]).toEqual([1007, 1005, 1004, 1007]);
  });

  it('offer their slots to a payload if they lack only a file', async () => {
    const off_duty = JSON.stringify([{ reason: 'NO_FILE', name: 'reco' }]);
    const { store } = await agentsLike({}, { able: { slots: 4, off_duty } });
    const wanted = { namespace: 'test', recorder: { process_id: 99, slots: 1 }, payload: 'reco' };
    expect(workerSlots(store.sql, wanted, () => true)).toBe(4);
  });

  it('are in trouble if they cannot do some work, are refused, or lose their slice messages', async () => {
    const { store } = await agentsLike({
      fine: {},
      unable: { slots: 2, off_duty: cannot('reco') },
      damaged: { off_duty: '[{"reason":"NO_PAYLOAD"},{"name":"x"},7,' },
      strange: { off_duty: '[{"reason":"NO_PAYLOAD"},{"name":"x"},7]' },
      old: { wire: 1 },
      'old data': { wire: 1, type: 'data' },
      new: { wire: 2 },
      unheard: { unheard_since: at(-9) },
      silent: { wire: 1, age: 30 },
      gone: { wire: 1, state: 'EXITED' },
      elsewhere: { wire: 1, namespace: 'other' },
    });
    const troubled = troubledAgents(store.sql, 'test', () => true);
    const none = {
      agent_type: 'worker',
      hostname: 'host-a',
      slots: null,
      off_duty: [],
      isRefused: false,
      unheard_since: null,
    };
    expect(troubled).toMatchObject([
      { ...none, agent: 'unable', slots: 2, off_duty: [{ reason: 'NO_PAYLOAD', name: 'reco', since: at(0) }] },
      { ...none, agent: 'damaged' },
      { ...none, agent: 'strange' },
      { ...none, agent: 'old', isRefused: true },
      { ...none, agent: 'old data', agent_type: 'data' },
      { ...none, agent: 'unheard', unheard_since: at(-9) },
    ]);
  });
});

describe('an agent’s warning about a kind of work', () => {
  it('is the newest of the agent’s last 500 warnings that begins with that kind', async () => {
    const { store } = await makeStore();
    const write = createLogLineWriter('DEBUG');
    const say = (agent: string, ...lines: string[]): Promise<void> =>
      store.write((tx) => {
        for (const message of lines) write(tx, { level: 'WARNING', message }, { agent });
      });
    const digest = `sha256:${'0123456789ab'.padEnd(64, 'c')}`;
    const kind = { reason: 'NO_PAYLOAD', name: `reco ${digest}` };
    const words = 'off duty for NO_PAYLOAD reco sha256:0123456789ab…:';
    expect(warningOf(store.sql, 'a', kind)).toBeNull();
    await say('a', `${words} first`, `${words} second`, `again: ${words} third`, 'off duty for NO_FILE x: no');
    await say('b', `${words} of another`);
    await store.write((tx) => write(tx, { level: 'INFO', message: `${words} no warning` }, { agent: 'a' }));
    expect(warningOf(store.sql, 'a', kind)).toBe(`${words} second`);
    expect(warningOf(store.sql, 'a', { reason: 'NO_FILE', name: 'x' })).toBe('off duty for NO_FILE x: no');
    expect(warningOf(store.sql, 'a', { reason: 'NO_FILE', name: 'y' })).toBeNull();
    await say('a', ...Array.from({ length: 497 }, () => 'other'));
    expect(warningOf(store.sql, 'a', kind)).toBe(`${words} second`);
    await say('a', 'one more');
    expect(warningOf(store.sql, 'a', kind)).toBeNull();
  });
});
