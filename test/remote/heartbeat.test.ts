import { expect, it, onTestFinished } from 'vitest';

import { type Report, startRemoteHeartbeat } from '../../src/remote/reports.ts';
import { pass, turns } from '../still-time.ts';
import { destinations, line, namespace } from './line.ts';

const self = {
  agent_name: 'worker-1',
  agent_type: 'worker',
  hostname: 'here',
  pid: 4711,
  boot_id: 'boot',
  version: '1',
  since: '2026-01-01T00:00:00.000Z',
} as const;

/** An agent that sends heartbeats, and those that others receive. */
async function beating() {
  const made = await line();
  const heard = made.overhear(destinations.telemetry);
  const report: Report = { in_hand: [], free_slots: 2, slots: 2, off_duty: [] };
  const heartbeat = startRemoteHeartbeat({
    broker: made.ours,
    namespace,
    destination: destinations.telemetry,
    self,
    report: () => report,
  });
  onTestFinished(() => heartbeat.silence());
  await turns();
  return { ...made, heard, heartbeat, report, seconds: () => heard.map(({ second }) => second) };
}

it('an agent sends a heartbeat immediately and then every five seconds, with its state and its work in hand', async () => {
  const { heard, seconds, report } = await beating();
  await pass(1);
  report.in_hand = ['x/slice/a/1'];
  await pass(10);
  expect(seconds()).toEqual([0, 5, 10]);
  expect(heard.map(({ body }) => [body['state'], body['in_hand']])).toEqual([
    ['READY', []],
    ['PROCESSING', ['x/slice/a/1']],
    ['PROCESSING', ['x/slice/a/1']],
  ]);
  expect(heard[1]?.body).toEqual({
    msg_type: 'agent_heartbeat',
    sender: 'worker-1',
    namespace,
    timestamp: '2026-01-01T00:00:05.000Z',
    ...self,
    state: 'PROCESSING',
    in_hand: ['x/slice/a/1'],
    free_slots: 2,
    slots: 2,
    off_duty: [],
    wire: 2,
  });
});

it('a heartbeat lists at most a thousand messages in hand', async () => {
  const { heard, report } = await beating();
  report.in_hand = Array.from({ length: 1200 }, (_, at) => `x/slice/${at}/1`);
  await pass(5);
  expect(heard.at(-1)?.body['in_hand']).toHaveLength(1000);
  expect(heard.at(-1)?.body['in_hand'].at(-1)).toBe('x/slice/999/1');
});

it('an agent reports changes within a second, several in one heartbeat', async () => {
  const { heartbeat, seconds } = await beating();
  await pass(0.25);
  heartbeat.changed();
  heartbeat.changed();
  await pass(0.5, 0.25);
  expect(seconds()).toEqual([0]);
  await pass(0.25);
  expect(seconds()).toEqual([0, 1]);
  // The last heartbeat is long ago: this one is sent at once.
  await pass(2);
  heartbeat.changed();
  await pass(0.01);
  expect(seconds()).toEqual([0, 1, 3.01]);
  // The regular heartbeat keeps its schedule.
  await pass(1.6, 0.01);
  heartbeat.changed();
  await pass(0.5, 0.01);
  expect(seconds().map((second) => Math.round(second * 100) / 100)).toEqual([0, 1, 3.01, 4.62, 5]);
});

it('an agent sends a heartbeat as soon as the broker is back', async () => {
  const { broker, seconds } = await beating();
  await pass(1);
  broker.goDown();
  await pass(11);
  broker.comeUp();
  await turns();
  expect(seconds()).toEqual([0, 12]);
});

it('an agent that ends reports EXITED, and sends nothing afterwards', async () => {
  const { heartbeat, heard } = await beating();
  await pass(0.5);
  await heartbeat.close();
  heartbeat.changed();
  await pass(20);
  expect(heard.map(({ body }) => body['state'])).toEqual(['READY', 'EXITED']);
});

it.each([true, false])(
  'an agent with the same name as another falls silent without reporting EXITED (pending change: %s)',
  async (hasNews) => {
    const { heartbeat, heard } = await beating();
    await pass(0.5);
    if (hasNews) heartbeat.changed();
    heartbeat.silence();
    heartbeat.changed();
    await pass(20);
    expect(heard).toHaveLength(1);
  },
);

it('an agent ends without an error if the broker is unreachable or refuses its last heartbeat', async () => {
  const { heartbeat, broker } = await beating();
  broker.refuse(() => true);
  await pass(6);
  await expect(heartbeat.close()).resolves.toBeUndefined();
  broker.goDown();
  await expect(heartbeat.close()).resolves.toBeUndefined();
});
