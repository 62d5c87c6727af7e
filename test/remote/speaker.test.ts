import { expect, it, onTestFinished } from 'vitest';

import { SwfError } from '../../src/lib/errors.ts';
import type { Draft } from '../../src/messages/message.ts';
import { type About, createSpeaker } from '../../src/remote/speaker.ts';
import { pass, turns } from '../still-time.ts';
import { destinations, execution_id, line, namespace } from './line.ts';

const about: About = { execution_id, run_id: '7', storeId: 's1' };
const ready = (sequence: number): Draft => ({
  msg_type: 'stf_ready',
  filename: `swf.7.00000${sequence}.stf`,
  sequence,
  tf_count: 100,
});
const started: Draft = {
  msg_type: 'slice_started',
  slice_id: 0,
  slice_filename: 'a.tf',
  tf_filename: 'b.tf',
  attempt: 1,
  worker_id: 'worker-1/slot-1',
  hostname: 'here',
};

async function speaking() {
  const made = await line();
  const warnings: string[] = [];
  const speaker = createSpeaker({
    broker: made.ours,
    namespace,
    destinations,
    sender: 'data-1',
    warn: (warning) => warnings.push(warning),
  });
  onTestFinished(() => made.broker.goDown());
  const settled: unknown[] = [];
  const say = (draft: Draft, of: About = about): void =>
    void speaker.say(draft, of).then((isTaken) => settled.push([draft.msg_type, isTaken]));
  return { ...made, warnings, speaker, settled, say };
}

it('a message names its sender, execution and store, and is settled when the broker has confirmed it', async () => {
  const { overhear, say, settled, speaker } = await speaking();
  const heard = overhear(destinations.broadcast);
  await pass(3);
  say(ready(1));
  expect([settled, speaker.unsent()]).toEqual([[], { count: 1, oldest: Date.parse('2026-01-01T00:00:03.000Z') }]);
  await turns();
  expect([settled, speaker.unsent()]).toEqual([[['stf_ready', true]], { count: 0, oldest: undefined }]);
  const message_id = `${execution_id}/stf_ready/swf.7.000001.stf`;
  expect(heard[0]?.body).toEqual({
    ...ready(1),
    sender: 'data-1',
    namespace,
    execution_id,
    run_id: '7',
    timestamp: '2026-01-01T00:00:03.000Z',
    message_id,
  });
  expect(heard[0]?.headers).toMatchObject({
    msg_type: 'stf_ready',
    namespace,
    run_id: '7',
    execution_id,
    store_id: 's1',
    persistent: 'true',
  });
});

it('a message about an execution without a run has no run_id', async () => {
  const { overhear, say } = await speaking();
  const heard = overhear(destinations.broadcast);
  say(ready(1), { ...about, run_id: undefined });
  await turns();
  expect(heard[0]?.body).not.toHaveProperty('run_id');
  expect(heard[0]?.headers).not.toHaveProperty('run_id');
});

it.each<[string, Draft, string | undefined, string, string | undefined]>([
  ['results are sent to the reply-to queue of their recorder', started, '/queue/own', '/queue/own', undefined],
  [
    'results are sent to the default queue if their recorder names none',
    started,
    undefined,
    destinations.results,
    namespace,
  ],
  ['broadcasts are sent to the broadcast topic', ready(1), '/queue/own', destinations.broadcast, namespace],
])('%s', async (_, draft, replyTo, destination, inHeader) => {
  const { overhear, say } = await speaking();
  const heard = overhear(destination);
  say(draft, { ...about, replyTo });
  await turns();
  expect(heard.map(({ headers, body }) => [headers['namespace'], body['namespace']])).toEqual([[inHeader, namespace]]);
});

it('messages written while the broker is away are sent when it is back, each once and in order', async () => {
  const { overhear, say, settled, broker, speaker } = await speaking();
  const heard = overhear(destinations.broadcast);
  broker.goDown();
  for (const sequence of [1, 2, 3]) {
    say(ready(sequence));
    await pass(1);
  }
  expect([heard, settled]).toEqual([[], []]);
  expect(speaker.unsent()).toEqual({ count: 3, oldest: Date.parse('2026-01-01T00:00:00.000Z') });
  broker.comeUp();
  await pass(1);
  expect(heard.map(({ body }) => body['sequence'])).toEqual([1, 2, 3]);
  expect(settled).toHaveLength(3);
});

it('a refused message is reported and settled as not sent, and later messages are sent', async () => {
  const { overhear, say, settled, broker, warnings, speaker } = await speaking();
  const heard = overhear(destinations.broadcast);
  broker.refuse(({ body }) => body.includes('000001.stf'));
  say(ready(1));
  say(ready(2));
  await pass(1);
  expect([settled, warnings]).toEqual([[['stf_ready', true]], []]);
  await pass(10);
  expect(settled[1]).toEqual(['stf_ready', false]);
  expect(warnings).toEqual([
    `stf_ready of ${execution_id} was not sent: BROKER_REFUSED: the broker does not take this message`,
  ]);
  expect([heard.length, speaker.unsent().count]).toEqual([1, 0]);
});

it('a message that repeatedly breaks the connection is reported once, and retried until it is confirmed', async () => {
  const { say, settled, broker, warnings, overhear } = await speaking();
  const heard = overhear(destinations.broadcast);
  let isBad = true;
  broker.refuse(() => {
    if (!isBad) return false;
    broker.goDown();
    broker.comeUp();
    throw new SwfError('BROKER_UNREACHABLE', 'the connection has ended');
  });
  say(ready(1));
  await pass(200);
  expect(warnings).toEqual([
    `stf_ready of ${execution_id} is not confirmed: sending it broke the connection 5 times; retrying every minute`,
  ]);
  isBad = false;
  await pass(61);
  expect([heard.length, settled]).toEqual([1, [['stf_ready', true]]]);
});

it.each([
  ['swf.7.000001.stf', { filename: 'swf.7.000001.stf' }],
  ['', {}],
])(
  'an agent asks to stop an execution that it cannot continue, and names the file at fault (%j)',
  async (filename, more) => {
    const { overhear, speaker } = await speaking();
    const heard = overhear(destinations.control);
    await speaker.stop(about, { reason: 'the file is damaged', filename });
    await turns();
    expect(heard[0]?.body).toEqual({
      msg_type: 'stop_workflow',
      command_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      state: 'failed',
      reason: 'the file is damaged',
      ...more,
      sender: 'data-1',
      namespace,
      execution_id,
      run_id: '7',
      timestamp: '2026-01-01T00:00:00.000Z',
      message_id: expect.any(String),
    });
  },
);
