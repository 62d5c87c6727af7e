import { once } from 'node:events';

import { describe, expect, it, onTestFinished } from 'vitest';

import { connectByStomp } from '../../src/broker/stomp-connection.ts';
import { artemisBroker, type Naming, startArtemis } from '../brokers/artemis.ts';
import { inProcess, outcome } from './outcome.ts';
import { elsewhere, sets, Site } from './site.ts';

const quick = sets('fast_processing.slice_processing_time=2', 'fast_processing.target_worker_count=8');
const isMissing = artemisBroker.missing() !== undefined;

describe.skipIf(isMissing)('Artemis with either naming of addresses', () => {
  it.each<Naming>(['literal', 'prefixes'])('runs the workflow: %s', async (naming) => {
    const broker = await startArtemis(naming);
    onTestFinished(() => broker.stop());
    const here = new Site(() => broker, quick);
    await Promise.all([here.agent('data'), here.agent('fastmon'), here.agent('worker'), here.agent('worker', 2)]);
    const run = here.run('--stf-count', '3', '--speed', '20', ...elsewhere('data', 'fastmon', 'worker'));
    const { code, stderr } = await run.finished;
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(await outcome(here.folder)).toEqual(await inProcess(3, ...quick));
    // Slices that a queue had handed to every worker would have been started twice.
    const starts = await here.askAll('list_messages', { message_type: 'slice_started' });
    expect(starts.filter(({ effect }) => effect !== 'applied')).toEqual([]);
  });
});

describe.skipIf(isMissing)('Artemis, if the consumers of a message die,', () => {
  it('moves it to the dead-letter queue after ten deliveries, and a slice lost this way is sent again', async () => {
    const broker = await startArtemis();
    onTestFinished(() => broker.stop());
    const here = new Site(
      () => broker,
      sets('fast_processing.slices_per_sample=1', 'fast_processing.slice_processing_time=1'),
    );
    const run = here.run('--stf-count', '1', '--speed', '20', ...elsewhere('worker'));
    await run.saw(/end_run/);
    const queue = { id: 'taker', destination: '/queue/panda.transformer.slices', ack: 'each' } as const;
    const only = (): { namespace: string } => ({ namespace: here.namespace });
    for (let death = 0; death < 10; death += 1) {
      const taker = connectByStomp(broker.settings, () => {});
      await taker.connect({ once: true });
      await new Promise<void>((resolve) => taker.subscribe({ ...queue, only, onMessage: () => resolve() }));
      await taker.close();
    }
    const reader = connectByStomp(broker.settings, () => {});
    onTestFinished(() => reader.close());
    await reader.connect({ once: true });
    const aside = await new Promise<string>((resolve) =>
      reader.subscribe({ id: 'dead', destination: 'DLQ', ack: 'each', onMessage: ({ body }) => resolve(body) }),
    );
    expect(JSON.parse(aside)).toMatchObject({ msg_type: 'slice', namespace: here.namespace });
    const worker = await here.agent('worker');
    expect(await run.finished).toMatchObject({ code: 0 });
    expect(await here.monitor()).toMatchObject({ slices_completed: 1, slices_failed: 0 });
    worker.child.kill('SIGTERM');
    await once(worker.child, 'exit');
  });
});
