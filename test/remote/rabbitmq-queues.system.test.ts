import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type QueueType, type RabbitMq, rabbitMqBroker, startRabbitMq } from '../brokers/rabbitmq.ts';
import { runCli, temporaryFolder } from '../helpers.ts';
import { inProcess, outcome } from './outcome.ts';
import { elsewhere, sets, Site } from './site.ts';

const quick = sets('fast_processing.slice_processing_time=2', 'fast_processing.target_worker_count=8');
const slicesQueue = (site: Site): string => `panda.transformer.slices.${site.namespace}`;

const describeQueues = (queues: QueueType, tests: (broker: () => RabbitMq) => void): unknown =>
  describe.skipIf(rabbitMqBroker.missing() !== undefined)(
    `RabbitMQ with ${queues} queues`,
    { timeout: 300_000 },
    () => {
      let broker: RabbitMq;
      beforeAll(async () => {
        broker = await startRabbitMq(queues);
      });
      afterAll(() => broker.stop());
      tests(() => broker);
    },
  );

describeQueues('quorum', (broker) => {
  it('runs the workflow as other brokers do, even if it is killed, and passes doctor --prove', async () => {
    const here = new Site(broker, quick);
    await Promise.all([here.agent('data'), here.agent('fastmon'), here.agent('worker')]);
    const run = here.run('--stf-count', '10', '--speed', '10', ...elsewhere('data', 'fastmon', 'worker'));
    await run.saw(/start_run/);
    const queues = await broker().control('list_queues', '-q', 'name', 'type');
    expect(queues).toMatch(new RegExp(`^${slicesQueue(here)}\\tquorum$`, 'm'));
    await broker().kill();
    await broker().start();
    const { code, stderr } = await run.finished;
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(await outcome(here.folder)).toEqual(await inProcess(10, ...quick));
    const args = [
      'doctor',
      '--broker',
      broker().url,
      ...sets(`testbed.namespace=${here.namespace}`),
      '--wait',
      '1',
      '--prove',
      '--unsubscribe',
    ];
    expect(await runCli(args, { folder: temporaryFolder(), env: broker().env })).toMatchObject({ code: 0 });
  });
});

describeQueues('classic', (broker) => {
  it('uses only the configured virtual host, and an error names it if the user may not access it', async () => {
    await broker().control('add_vhost', 'testbed');
    const inside = sets('broker.vhost=testbed');
    const refused = await new Site(broker, inside).run('--stf-count', '1').finished;
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/^BROKER_REFUSED: .*testbed/m) });
    await broker().control('set_permissions', '-p', 'testbed', broker().user, '.*', '.*', '.*');
    const here = new Site(broker, [...quick, ...inside]);
    await here.agent('worker');
    expect(await here.run('--stf-count', '2', '--speed', '20', ...elsewhere('worker')).finished).toMatchObject({
      code: 0,
    });
    expect(await broker().control('list_queues', '-q', '-p', 'testbed', 'name')).toContain(slicesQueue(here));
    expect(await broker().control('list_queues', '-q', 'name')).not.toContain(here.namespace);
  });

  it('fails the proof of a time limit that it does not allow, and passes the other proofs', async () => {
    const { namespace } = new Site(broker, []);
    const settings = sets(`testbed.namespace=${namespace}`, 'worker.timeout_seconds=1790');
    const args = ['doctor', '--broker', broker().url, ...settings, '--wait', '1', '--prove', '--unsubscribe'];
    const { code, stdout, stderr } = await runCli(args, { folder: temporaryFolder(), env: broker().env });
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toMatch(/^ok +expiry /m);
    expect(stdout).toMatch(
      /^fail +time limit +RabbitMQ takes a slice back after 1800 s, but worker\.timeout_seconds = 1790/m,
    );
  });

  it('loses the slices on a deleted queue, which are then sent again', async () => {
    const here = new Site(broker, sets('fast_processing.slice_processing_time=2'));
    const without = elsewhere('worker');
    const run = here.run('--stf-count', '1', '--speed', '20', ...without);
    await expect.poll(() => here.monitor()).toMatchObject({ slices_queued: 15, phase: 'completed' });
    await expect
      .poll(() => broker().control('list_queues', '-q', 'name', 'messages'))
      .toMatch(new RegExp(`^${slicesQueue(here)}\\t15$`, 'm'));
    await broker().control('delete_queue', slicesQueue(here));
    await here.agent('worker');
    expect(await run.finished).toMatchObject({ code: 0 });
    expect(await here.monitor()).toMatchObject({ slices_completed: 15, slices_failed: 0 });
  });

  it('ends the connection if a full queue rejects a message; this is reported once, and the run continues', async () => {
    const here = new Site(
      broker,
      sets('fast_processing.slices_per_sample=2', 'fast_processing.slice_processing_time=1'),
    );
    const policy = ['full', `^${slicesQueue(here)}$`, '{"max-length":1,"overflow":"reject-publish"}'];
    await broker().control('set_policy', ...policy, '--apply-to', 'queues');
    const run = here.run('--stf-count', '1', '--speed', '20', ...elsewhere('worker'));
    await run.saw(/slice\/\S+ was not sent: BROKER_REFUSED: sending it broke the connection 5 times/);
    expect(await here.monitor()).toMatchObject({ phase: 'completed', slices_queued: 2 });
    await broker().control('clear_policy', 'full');
    await here.agent('worker');
    // A rejected message is sent once more when its answer is missing.
    const { code, stderr } = await run.finished;
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stderr.match(/was not sent/g)).toHaveLength(1);
  });
});
