import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { remoteAgentName } from '../../src/remote/remote-process.ts';
import { connectToMemory } from '../brokers/memory-connection.ts';
import { heartbeat } from '../recorder/beats.ts';
import { pass, turns } from '../still-time.ts';
import { agentSite, stfOf } from './agent-setup.ts';
import { destinations, execution_id, namespace, stateOf } from './line.ts';

const { broadcast, telemetry } = destinations;
const name = remoteAgentName('data', 'tester', 1);
const marker = '.swf-mcp-remote';

it('the name of an agent is the same at each start, and differs by type and index', () => {
  expect(remoteAgentName('data', 'tester', 1)).toBe(name);
  expect(name).toMatch(/^data-agent-tester-\d{8}$/);
  const numbers = [name, remoteAgentName('data', 'tester', 2), remoteAgentName('worker', 'tester', 1)].map((one) =>
    one.slice(-8),
  );
  expect(new Set(numbers).size).toBe(3);
});

describe('an agent without a store', () => {
  it('sends a heartbeat when it starts and when it has ended, and none afterwards', async () => {
    const here = await agentSite();
    const agent = await here.start('data');
    expect(agent.name).toBe(name);
    expect(here.beats(name)[0]).toMatchObject({
      sender: name,
      namespace,
      agent_type: 'data',
      state: 'READY',
      in_hand: [],
      free_slots: 1,
      off_duty: [],
      pid: process.pid,
      version: '1.2.3',
      since: '2026-01-01T00:00:00.000Z',
    });
    expect(agent.figures()).toEqual({
      unsent: { count: 0, oldest: undefined },
      behind: { data: 0 },
      slots: {},
      offDuty: { NO_FILE: 0, NO_PAYLOAD: 0, WRONG_FILE: 0 },
    });
    agent.stop();
    await agent.done;
    await turns();
    expect(here.beats(name).map(({ state }) => state)).toEqual(['READY', 'EXITED']);
    await pass(30);
    expect(here.beats(name)).toHaveLength(2);
  });

  it('sends one heartbeat soon after a new recorder of its namespace reports', async () => {
    const here = await agentSite();
    await here.start('data');
    await pass(2);
    for (let round = 0; round < 3; round += 1) await here.tell(telemetry, stateOf());
    await pass(1.5, 0.5);
    expect(here.beats(name)).toHaveLength(2);
    await here.tell(telemetry, { ...stateOf({ execution_id: 'w-x-0002' }), namespace: 'other' });
    await pass(1, 0.5);
    expect(here.beats(name)).toHaveLength(2);
  });

  it('answers a broadcast, even one sent while it was not running', async () => {
    const here = await agentSite();
    const heard = here.overhear(broadcast);
    const first = await here.start('data');
    await here.tell(telemetry, stateOf());
    await here.tell(broadcast, stfOf(1), { namespace, store_id: 's1' });
    const ready = () =>
      heard.filter(({ body }) => body['msg_type'] === 'stf_ready').map(({ body }) => body['sequence']);
    expect(ready()).toEqual([1]);
    first.stop();
    await first.done;
    await here.tell(broadcast, stfOf(2), { namespace, store_id: 's1' });
    const second = await here.start('data');
    expect(second.figures()).toMatchObject({ behind: { data: 1 } });
    await here.tell(telemetry, stateOf());
    expect(ready()).toEqual([1, 2]);
    expect(here.steps).toHaveLength(2);
    expect(second.figures()).toMatchObject({ behind: { data: 0 } });
  });

  it('warns once if the recorder is silent while a message waits for it, and again if the silence recurs', async () => {
    const here = await agentSite();
    await here.start('data');
    await pass(40);
    expect(here.warnings()).toEqual([]);
    await here.tell(broadcast, stfOf(1), { namespace, store_id: 's1' });
    await pass(20);
    const line = `no recorder of namespace ${namespace} has been heard from for 15 s; is one running?`;
    expect(here.warnings()).toEqual([line]);
    // The recorder receives it too, once it is running.
    const said = here.telemetry.filter(({ body }) => body['msg_type'] === 'agent_log');
    expect(said.map(({ body }) => [body['sender'], body['lines'][0].message])).toEqual([[name, line]]);
    await here.tell(telemetry, stateOf({ execution_id: 'w-x-0002' }));
    await pass(14);
    expect(here.warnings()).toHaveLength(1);
    await pass(5);
    expect(here.warnings()).toHaveLength(2);
  });

  it('warns when its connections break', async () => {
    const here = await agentSite();
    await here.start('data');
    here.broker.goDown();
    const line = 'BROKER_UNREACHABLE: not connected to the broker';
    // That of the agent, and that of its durable subscription.
    expect(here.warnings()).toEqual([line, line]);
    here.broker.comeUp();
  });

  it('ends even if its answer is not confirmed, and the broker keeps the message', async () => {
    const here = await agentSite();
    const agent = await here.start('data');
    await here.tell(telemetry, stateOf());
    here.broker.refuse(({ headers }) => headers['msg_type'] === 'stf_ready');
    await here.tell(broadcast, stfOf(1), { namespace, store_id: 's1' });
    agent.stop();
    let isOver = false;
    void agent.done.then(() => (isOver = true));
    await pass(4);
    here.broker.goDown();
    await pass(7);
    expect(isOver).toBe(true);
    here.broker.refuse(() => false);
    here.broker.comeUp();
    const heard = here.overhear(broadcast);
    await here.start('data');
    await here.tell(telemetry, stateOf());
    await pass(5);
    expect(heard.map(({ body }) => body['msg_type'])).toContain('stf_ready');
  });
});

describe('files that an agent has fetched', () => {
  it('are marked when their execution ends, and removed by a check that runs every ten minutes', async () => {
    const here = await agentSite();
    await here.start('data', {}, { data: { dir: here.dir, keep_hours: 1 } });
    const folders = [execution_id, 'w-x-0002', 'w-x-0003'].map((id) => join(here.dir, id));
    for (const folder of folders) {
      mkdirSync(folder);
      writeFileSync(join(folder, marker), '');
    }
    await here.tell(telemetry, stateOf());
    await here.tell(telemetry, stateOf({ status: 'completed' }));
    await here.tell(telemetry, stateOf({ execution_id: 'w-x-0002' }));
    expect(folders.map((folder) => readFileSync(join(folder, marker), 'utf8'))).toEqual(['ended\n', '', '']);
    const old = Date.parse('2025-01-01') / 1000;
    for (const folder of folders) utimesSync(join(folder, marker), old, old);
    await pass(590, 10);
    expect(existsSync(folders[0] ?? '')).toBe(true);
    await pass(20, 10);
    await expect.poll(() => folders.map((folder) => existsSync(folder))).toEqual([false, true, false]);
  });

  it('are reported if they cannot be removed', async () => {
    const here = await agentSite();
    await here.start('data');
    mkdirSync(join(here.dir, execution_id, marker), { recursive: true });
    await pass(600, 10);
    await expect
      .poll(() => here.warnings())
      .toEqual([expect.stringMatching(/^expired files cannot be removed: .*EISDIR/)]);
  });
});

describe('an agent with the same name as another', () => {
  const twin = (since: string, more: object = {}) => heartbeat(name, 'data', { since, pid: 4711, ...more });

  it('ends without a last heartbeat if the other started first', async () => {
    const here = await agentSite();
    const agent = await here.start('data');
    const end = expect(agent.done).rejects.toMatchObject({
      code: 'AGENT_IN_USE',
      message: `${name} is already running as process 4711 on elsewhere; stop that process, or start this one with a different --index`,
    });
    await here.tell(telemetry, twin('2025-12-31T00:00:00.000Z'));
    await end;
    await pass(10);
    expect(here.beats(name).map(({ state }) => state)).toEqual(['READY', 'READY']);
  });

  it.each<[string, object, number]>([
    ['the other started later', twin('2026-01-01T00:00:09.999Z'), 0],
    ['the other has ended', twin('2025-12-31T00:00:00.000Z', { state: 'EXITED' }), 0],
    ['it receives its own heartbeat', twin('2026-01-01T00:00:00.000Z'), 0],
    ['it has run for ten seconds before it hears the other', twin('2025-12-31T00:00:00.000Z'), 10.5],
    ['the other is in another namespace', { ...twin('2025-12-31T00:00:00.000Z'), namespace: 'other' }, 0],
    ['the other has a different name', { ...twin('2025-12-31T00:00:00.000Z'), agent_name: 'data-2' }, 0],
  ])('continues if %s', async (_, beat, seconds) => {
    const here = await agentSite();
    const agent = await here.start('data');
    await pass(seconds, 0.5);
    await here.tell(telemetry, beat);
    await pass(1);
    agent.stop();
    await expect(agent.done).resolves.toBeUndefined();
  });

  it('ends if the other claims a start ten seconds in the future', async () => {
    const here = await agentSite();
    const agent = await here.start('data');
    const end = expect(agent.done).rejects.toMatchObject({ code: 'AGENT_IN_USE' });
    await here.tell(telemetry, twin('2026-01-01T00:00:10.000Z'));
    await end;
  });
});

describe('an agent in a namespace that foreign programs use', () => {
  const body = { msg_type: 'transformer_ready', sender: 'foreign-agent', namespace, run_id: '7' };

  it.each([broadcast, '/topic/of.the.site'])('ends when it hears such a program on %s', async (on) => {
    const here = await agentSite();
    const agent = await here.start('worker');
    const end = expect(agent.done).rejects.toMatchObject({
      code: 'NAMESPACE_IN_USE',
      message: expect.stringContaining(`foreign-agent (transformer_ready on ${on})`),
    });
    await here.tell(on, body, {});
    await end;
  });

  it('does not start if it hears such a program first, and disconnects from the broker', async () => {
    const here = await agentSite();
    const listening = { broadcast, layout: [], sharedQueues: [], seconds: 3, say: () => {} };
    const connections: { isUp(): boolean }[] = [];
    const connect: ReturnType<typeof connectToMemory> = (settings, onTrouble) => {
      const connection = connectToMemory(here.broker)(settings, onTrouble);
      connections.push(connection);
      return connection;
    };
    const begun = expect(
      here.start('data', { broker: { settings: { servers: [], heartbeatSeconds: 1 }, connect, listening } }),
    ).rejects.toMatchObject({ code: 'NAMESPACE_IN_USE' });
    await pass(1);
    await here.tell(broadcast, body, {});
    await pass(3);
    await begun;
    expect(connections.map((connection) => connection.isUp())).toEqual([false]);
  });
});
