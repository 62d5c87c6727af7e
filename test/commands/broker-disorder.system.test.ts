import { setTimeout as delay } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { parseBrokerUrl } from '../../src/broker/address.ts';
import type { Delivery, BrokerConnection } from '../../src/broker/connection.ts';
import { connectByStomp } from '../../src/broker/stomp-connection.ts';
import { random } from '../../src/domain/plan/v1.ts';
import type { Message } from '../../src/messages/message.ts';
import { brokerIsMissing, startBroker } from '../brokers/activemq.ts';
import type { Broker } from '../brokers/broker.ts';
import { ask, connectInProcess, runCli, startCli, temporaryFolder } from '../helpers.ts';

const missing = brokerIsMissing();
let broker: Broker;

beforeAll(async () => {
  if (missing === undefined) broker = await startBroker();
});
afterAll(() => (missing === undefined ? broker.stop() : undefined));

/**
 * A worker whose reports are as disordered as a network can make them: results before starts, late, repeated; one slice in five
 * fails, and one in ten is dropped with its connection, so that the broker delivers it again. The seed chooses.
 */
async function startDisorderlyWorker(namespace: string, seed: number) {
  const counts = { slices: 0, sent: 0, failed: 0, dropped: 0 };
  let bus: BrokerConnection = await connect();

  async function connect(): Promise<BrokerConnection> {
    const fresh = connectByStomp(
      { servers: parseBrokerUrl(broker.url), user: broker.user, password: broker.password, heartbeatSeconds: 30 },
      () => {},
    );
    fresh.subscribe({
      id: 'slices',
      destination: '/queue/panda.transformer.slices',
      ack: 'each',
      only: () => ({ namespace, store: 'named' }),
      prefetch: 8,
      onMessage: (delivery) => void work(delivery, fresh).catch(() => {}),
    });
    await fresh.connect({ once: true });
    return fresh;
  }

  async function work(delivery: Delivery, mine: BrokerConnection): Promise<void> {
    const slice = JSON.parse(delivery.body) as Message<'slice'>;
    counts.slices += 1;
    const draw = (purpose: string): number =>
      random(seed, slice.slice_id, `${slice.slice_filename} ${slice.attempt} ${purpose}`);
    if (draw(`drop ${counts.slices}`) < 0.1) {
      counts.dropped += 1;
      // One connection at a time: a slice left unacknowledged on another would stay there.
      if (mine === bus) bus = await connect();
      await mine.close();
      return;
    }
    const { execution_id, run_id, slice_id, slice_filename, tf_filename, attempt } = slice;
    const isDone = draw('fate') > 0.2;
    if (!isDone) counts.failed += 1;
    const common = {
      execution_id,
      run_id,
      slice_id,
      slice_filename,
      tf_filename,
      attempt,
      sender: 'stranger',
      namespace,
      worker_id: 'stranger/01',
      hostname: 'elsewhere',
    };
    const result = {
      msg_type: 'slice_result',
      ...common,
      state: isDone ? 'done' : 'failed',
      ...(isDone ? {} : { error: 'bad luck' }),
    };
    const sendings = [{ msg_type: 'slice_started', ...common }, result].flatMap((message) =>
      Array.from({ length: 1 + Math.floor(draw(`often ${message.msg_type}`) * 3) }, async (_, again) => {
        await delay(draw(`when ${message.msg_type} ${again}`) * 300);
        await bus.send({
          destination: '/queue/panda.results.fastprocessing',
          headers: {
            namespace,
            store_id: delivery.headers['store_id'] ?? '',
            msg_type: message.msg_type,
            persistent: 'true',
          },
          body: JSON.stringify(message),
        });
        counts.sent += 1;
      }),
    );
    await Promise.all(sendings);
    delivery.acknowledge();
  }

  onTestFinished(() => bus.close());
  return counts;
}

describe.skipIf(missing !== undefined)('over a broker, a worker with repeated, late and out-of-order reports', () => {
  it.each([1, 2])('leaves every slice in a final state, with balanced counts (seed %i)', async (seed) => {
    const folder = temporaryFolder();
    const namespace = `disorder${seed}`;
    const counts = await startDisorderlyWorker(namespace, seed);
    const args = [
      'run',
      '--broker',
      broker.url,
      '--stf-count',
      '6',
      '--speed',
      '20',
      '--set',
      `testbed.namespace=${namespace}`,
      '--set',
      'agents.worker.enabled=false',
    ];
    const run = startCli(args, { folder, env: broker.env });
    const { code, stderr } = await run.finished;
    expect({ code, stderr }).toMatchObject({ code: expect.toBeOneOf([0, 3]) });
    const client = await connectInProcess(`${folder}/swf.db`);
    const monitor = await ask(client, 'get_workflow_monitor', { execution_id: 'latest' });
    expect(monitor).toMatchObject({
      status: 'completed',
      slices_created: 90,
      slices_queued: 0,
      slices_processing: 0,
    });
    expect(monitor['slices_completed'] + monitor['slices_failed']).toBe(90);
    expect(counts.failed).toBeGreaterThan(5);
    expect(counts.dropped).toBeGreaterThan(2);
    expect(await runCli(['check'], { folder })).toMatchObject({ code: 0 });
  });
});
