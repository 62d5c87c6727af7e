import stompit, { type Client, type Frame } from 'stompit';

import type { Broker } from '../test/brokers/broker.ts';
import { median } from './figure.ts';
import { monitorOf } from './monitor.ts';
import { atSite, onEachBroker, sets } from './site.ts';

/**
 * The whole workflow over each kind of broker, with every agent in its own process, at a speed that leaves
 * no time to wait. The floor is stompit alone, in the same run, with the same number of persistent messages
 * of the same size.
 */
const stfs = Number(process.argv[2] ?? 100);
const rounds = Number(process.argv[3] ?? 3);
const window = 256;
const bodyBytes = 600;

/** The number of messages that a run sends over the broker: files twice, slices, starts and results. */
const wireMessages = stfs * (3 + 15 * 3) + 6;

/**
 * Makes one run with every agent in its own process. Returns its seconds, and the delay between a slice and
 * its start, p95 in milliseconds.
 */
function workflow(broker: Broker, speed: string, slots: number, count: number, more: string[] = []) {
  const settings = [
    `testbed.namespace=b${Math.random().toString(36).slice(2, 8)}`,
    'data.write_files=false',
    `fast_processing.target_worker_count=${slots}`,
    ...more,
  ];
  return atSite(broker, settings, async ({ db, start }) => {
    await Promise.all(['data', 'fastmon', 'worker'].map((type) => start(['agent', type], /is running in namespace/)));
    const elsewhere = sets('agents.data.enabled=false', 'agents.fastmon.enabled=false', 'agents.worker.enabled=false');
    const run = await start(
      ['run', '--json', '--speed', speed, '--stf-count', String(count), ...elsewhere],
      /execution/,
    );
    const code = await new Promise<number | null>((end) => run.once('close', end));
    if (code !== 0) throw new Error(`the run ended with ${code}`);
    const { latency, slices_completed, duration_seconds } = await monitorOf(db);
    if (slices_completed !== count * 15) throw new Error(`${slices_completed} slices were completed`);
    const delay = latency.find(({ stage }) => stage === 'slice → slice_started')?.p95 ?? NaN;
    return { seconds: duration_seconds, latency: Math.round(1000 * delay) };
  });
}

/** Sends the same number of messages through a queue, with receipts; they are acknowledged one by one. */
async function raw(broker: Broker, count: number): Promise<number> {
  const [sender, receiver] = [await connectRaw(broker), await connectRaw(broker)];
  const destination = `/queue/bench.${Math.random().toString(36).slice(2, 8)}`;
  const isArtemis = broker.kind === 'artemis';
  const all = withResolvers();
  let got = 0;
  receiver.setImplicitSubscription('raw', 'client-individual', (_error, frame: Frame) => {
    frame.resume();
    frame.on('end', () => {
      receiver.ack(frame);
      got += 1;
      if (got >= count) all.resolve();
    });
  });
  const subscribed = withResolvers();
  const subscribe = {
    id: 'raw',
    destination,
    ack: 'client-individual',
    ...(broker.kind === 'activemq' ? { 'activemq.prefetchSize': window } : {}),
    ...(broker.kind === 'rabbitmq' ? { 'prefetch-count': window } : {}),
    ...(isArtemis ? { 'consumer-window-size': 4_194_304, 'subscription-type': 'ANYCAST' } : {}),
  };
  receiver.sendFrame('SUBSCRIBE', subscribe, { onReceipt: () => subscribed.resolve() }).end();
  await subscribed.promise;
  const body = Buffer.from(JSON.stringify({ text: 'x'.repeat(bodyBytes - 11) }));
  const sending = { underWay: 0 };
  let room = withResolvers();
  const begin = performance.now();
  for (let index = 0; index < count; index += 1) {
    while (sending.underWay >= window) {
      room = withResolvers();
      await room.promise;
    }
    sending.underWay += 1;
    const headers = {
      destination,
      persistent: 'true',
      namespace: 'bench',
      ...(isArtemis ? { 'destination-type': 'ANYCAST' } : {}),
    };
    const onReceipt = (): void => {
      sending.underWay -= 1;
      room.resolve();
    };
    sender.sendFrame('SEND', headers, { onReceipt }).end(body);
  }
  await all.promise;
  const seconds = (performance.now() - begin) / 1000;
  for (const client of [sender, receiver]) client.destroy();
  return count / seconds;
}

function connectRaw({ port, user, password }: Broker): Promise<Client> {
  return new Promise((done, reject) => {
    const connectHeaders = { host: '/', login: user, passcode: password, 'heart-beat': '0,0' };
    const client: Client = stompit.connect({ host: '127.0.0.1', port, noDelay: true, connectHeaders }, (error) =>
      error ? reject(error) : done(client),
    );
    client.on('error', () => {});
  });
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolvePromise: () => void = () => {};
  const promise = new Promise<void>((done) => (resolvePromise = done));
  return { promise, resolve: resolvePromise };
}

console.log(
  `${stfs} STF files: ${wireMessages} messages over the broker, persistent, four processes and the broker; median of ${rounds} rounds\n`,
);
console.log('broker      swf-mcp msg/s   stompit msg/s   ratio   slice → slice_started p95, slots free');
await onEachBroker(undefined, async (broker) => {
  await workflow(broker, '100000', 30, 5);
  const figures: { ours: number; floor: number }[] = [];
  const delays: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const floor = await raw(broker, wireMessages);
    const { seconds } = await workflow(broker, '100000', 30, stfs);
    figures.push({ ours: wireMessages / seconds, floor });
    // Two STF files a second, each of which occupies 15 of 60 slots for a third of a second.
    const paced = await workflow(broker, '1', 60, 40, [
      'fast_processing.slice_processing_time=0.3',
      'daq_state_machine.stf_interval=0.4',
      'daq_state_machine.beam_not_ready_end_delay=0.2',
    ]);
    delays.push(paced.latency);
  }
  const cell = (of: (one: (typeof figures)[number]) => number, digits: number, width: number): string =>
    median(figures.map(of)).toFixed(digits).padStart(width);
  return [
    cell(({ ours }) => ours, 0, 13),
    cell(({ floor }) => floor, 0, 16),
    cell(({ ours, floor }) => ours / floor, 2, 8),
    `${median(delays)} ms`.padStart(12),
  ].join('');
});
