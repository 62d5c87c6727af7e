import { rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import stompit, { type Client, type Frame } from 'stompit';

import { parseBrokerUrl } from '../src/broker/address.ts';
import type { BrokerSettings } from '../src/broker/connection.ts';
import { connectByStomp } from '../src/broker/stomp-connection.ts';
import { enterProcess } from '../src/db/execution/take-over.ts';
import { openStore } from '../src/db/sqlite/open-store.ts';
import type { Store } from '../src/db/sqlite/store.ts';
import type { Transaction } from '../src/db/sqlite/transaction.ts';
import { stfFilename, tfFilename } from '../src/domain/file-names.ts';
import { executionParamsSchema } from '../src/domain/params.ts';
import { planOf } from '../src/domain/plan/versions.ts';
import {
  type BrokerOptions,
  type BrokerSession,
  openBrokerSession,
  type SessionOptions,
} from '../src/exchange/broker-session.ts';
import { currentProcess } from '../src/lib/process-identity.ts';
import { destinations } from '../src/messages/destinations.ts';
import type { Message } from '../src/messages/message.ts';
import type { MessageType } from '../src/messages/vocabulary.ts';
import { startBroker } from '../test/brokers/activemq.ts';
import type { Broker } from '../test/brokers/broker.ts';
import { temporaryFolder } from '../test/folder.ts';
import { quantile } from './figure.ts';

/**
 * Results of slices through a broker: recorded in one store, sent, recorded and projected in another. The floor is stompit
 * alone, in the same run, with the same bodies, persistence, window and acknowledgement.
 */
const messages = 5000;
const window = 256;
const pacedRate = 200;
const pacedSeconds = 5;
const run = 100_010;
const executionId = 'bench-bench-0001';
const namespace = 'bench';

interface Figures {
  rate: number;
  p50: number;
  p99: number;
}

const envelope = { sender: 'worker-agent-bench-1', namespace, execution_id: executionId, run_id: String(run) };

/** Results of as many slices as are asked for, a thousand a sample. */
function results(count: number): Message<'slice_result'>[] {
  return slicesOf(count).map(({ slice_id, slice_filename, tf_filename }) => ({
    msg_type: 'slice_result',
    ...envelope,
    slice_id,
    slice_filename,
    tf_filename,
    attempt: 1,
    worker_id: 'worker-agent-bench-1/01',
    hostname: hostname(),
    state: 'done',
    processing_seconds: 30,
    timestamp: new Date().toISOString(),
  }));
}

const plan = planOf(executionParamsSchema.parse({ fast_processing: { slices_per_sample: 1000 } }));

function slicesOf(count: number) {
  return Array.from({ length: Math.ceil(count / 1000) }, (_, index) => {
    const stf_filename = stfFilename(run, index + 1);
    const tf_filename = tfFilename(stf_filename, 1);
    return plan.slices({ stf_filename, tf_filename, tf_first: 0, tf_count: 1000 }).map((slice) => ({
      ...slice,
      stf_filename,
      tf_filename,
    }));
  })
    .flat()
    .slice(0, count);
}

async function product(broker: Broker, count: number, pace: number | undefined): Promise<Figures> {
  const folder = temporaryFolder();
  const [from, to] = [await openStore(join(folder, 'from.db')), await openStore(join(folder, 'to.db'))];
  await to.write((tx) => fill(to, tx, count));
  const settings: BrokerSettings = {
    servers: parseBrokerUrl(broker.url),
    user: broker.user,
    password: broker.password,
    heartbeatSeconds: 30,
  };
  const born: number[] = [];
  const delays: number[] = [];
  const all = withResolvers();
  const onFault = (error: unknown): void => {
    throw error;
  };
  const sessionOn = async (
    store: Store,
    says: SessionOptions['says'],
  ): Promise<{ session: BrokerSession; id: number }> => {
    const connection = connectByStomp(settings, () => {});
    await connection.connect({ once: true });
    const entry = { identity: currentProcess(), version: '0', user: 'bench', namespace, agentTypes: ['worker'] };
    const id = (await store.write((tx) => enterProcess(tx, entry))).process_id;
    const options: BrokerOptions = {
      store,
      namespace,
      destinations,
      settings,
      connect: connectByStomp,
      warn: () => {},
    };
    return {
      id,
      session: await openBrokerSession(connection, options, { processId: id, isAlive: () => true, says, onFault }),
    };
  };
  const sender = await sessionOn(from, ['slice_result']);
  const receiver = await sessionOn(to, ['slice']);
  // Results are recorded in the order in which they were said.
  const noteArrivals = async (): Promise<void> => {
    const ended = new AbortController().signal;
    while (delays.length < count) {
      await receiver.session.notifier.news(ended, new Set<MessageType>(['slice_result']));
      const now = performance.now();
      const { n } = to.db
        .prepare(`SELECT count(*) AS n FROM workflow_messages WHERE message_type = 'slice_result'`)
        .get() as { n: number };
      while (delays.length < n) delays.push(now - (born[delays.length] ?? now));
    }
    all.resolve();
  };
  void noteArrivals();
  const begin = performance.now();
  const said = results(count);
  const each = pace === undefined ? 16 : 1;
  for (let first = 0; first < count; first += each) {
    if (pace !== undefined) await delay(Math.max(0, begin + (first * 1000) / pace - performance.now()));
    await from.write((tx) => {
      for (const message of said.slice(first, first + each))
        from.messages.record(tx, message, { outboxOwner: sender.id });
    });
    for (let index = first; index < first + each; index += 1) born[index] = performance.now();
    sender.session.committed();
  }
  await all.promise;
  const seconds = (performance.now() - begin) / 1000;
  await sender.session.close();
  await receiver.session.close();
  from.close();
  to.close();
  rmSync(folder, { recursive: true });
  return { rate: count / seconds, p50: quantile(delays, 0.5), p99: quantile(delays, 0.99) };
}

/** An execution whose slices wait for results. */
function fill({ messages: writer }: Store, tx: Transaction, count: number): void {
  const params = { fast_processing: { slices_per_sample: 1000 }, fastmon: { tf_fraction: 1 }, broker: { url: 'x' } };
  const say = (message: object): void =>
    void writer.record(tx, { ...envelope, timestamp: new Date().toISOString(), ...message } as Message);
  writer.record(
    tx,
    {
      msg_type: 'run_workflow',
      ...envelope,
      command_id: 'bench',
      workflow_name: 'bench',
      params,
      executed_by: 'bench',
      plan_version: 1,
      speed: 1,
    },
    { isReplay: true },
  );
  say({ msg_type: 'run_imminent' });
  say({ msg_type: 'start_run' });
  for (let sequence = 1; sequence <= Math.ceil(count / 1000); sequence += 1) {
    const filename = stfFilename(run, sequence);
    say({ msg_type: 'stf_gen', filename, sequence, tf_count: 1000 });
    say({
      msg_type: 'tf_file_registered',
      tf_filename: tfFilename(filename, 1),
      stf_filename: filename,
      tf_first: 0,
      tf_last: 999,
      tf_count: 1000,
    });
  }
  for (const { slice_id, slice_filename, tf_filename, stf_filename, tf_first, tf_last } of slicesOf(count)) {
    say({
      msg_type: 'slice',
      slice_id,
      slice_filename,
      tf_filename,
      stf_filename,
      start: tf_first,
      end: tf_last,
      tf_count: 1,
      attempt: 1,
    });
  }
}

async function raw(broker: Broker, count: number, pace: number | undefined): Promise<Figures> {
  const [sender, receiver] = [await connectRaw(broker), await connectRaw(broker)];
  const destination = `/queue/bench.${process.pid}.${pace ?? 'full'}`;
  const born: number[] = [];
  const delays: number[] = [];
  const all = withResolvers();
  receiver.setImplicitSubscription('raw', 'client-individual', (_error, frame: Frame) => {
    frame.resume();
    frame.on('end', () => {
      delays.push(performance.now() - (born[delays.length] ?? 0));
      receiver.ack(frame);
      if (delays.length >= count) all.resolve();
    });
  });
  const subscribed = withResolvers();
  receiver
    .sendFrame(
      'SUBSCRIBE',
      { id: 'raw', destination, ack: 'client-individual', 'activemq.prefetchSize': window },
      { onReceipt: () => subscribed.resolve() },
    )
    .end();
  await subscribed.promise;
  const bodies = results(count).map((message) => Buffer.from(JSON.stringify(message)));
  const sending = { underWay: 0 };
  let room = withResolvers();
  const begin = performance.now();
  for (const [index, body] of bodies.entries()) {
    if (pace !== undefined) await delay(Math.max(0, begin + (index * 1000) / pace - performance.now()));
    while (sending.underWay >= window) {
      room = withResolvers();
      await room.promise;
    }
    sending.underWay += 1;
    born.push(performance.now());
    const headers = {
      destination,
      persistent: 'true',
      namespace,
      msg_type: 'slice_result',
      'content-type': 'application/json',
      vo: 'eic',
      run_id: String(run),
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
  return { rate: count / seconds, p50: quantile(delays, 0.5), p99: quantile(delays, 0.99) };
}

function connectRaw({ port, user, password }: Broker): Promise<Client> {
  return new Promise((resolve, reject) => {
    const connectHeaders = { host: 'localhost', login: user, passcode: password, 'heart-beat': '0,0' };
    const client: Client = stompit.connect({ host: '127.0.0.1', port, noDelay: true, connectHeaders }, (error) =>
      error ? reject(error) : resolve(client),
    );
    client.on('error', () => {});
  });
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

const broker = await startBroker();
try {
  console.log(
    `${messages} results through ActiveMQ Classic, persistent, window ${window}; and ${pacedRate} a second for ${pacedSeconds} s\n`,
  );
  console.log('round   swf-mcp msg/s   stompit msg/s   ratio   swf-mcp p50/p99 ms   stompit p50/p99 ms');
  for (let round = 1; round <= 3; round += 1) {
    const floor = await raw(broker, messages, undefined);
    const ours = await product(broker, messages, undefined);
    const pacedFloor = await raw(broker, pacedRate * pacedSeconds, pacedRate);
    const paced = await product(broker, pacedRate * pacedSeconds, pacedRate);
    const cells = [
      String(round),
      ours.rate.toFixed(0).padStart(19),
      floor.rate.toFixed(0).padStart(16),
      (ours.rate / floor.rate).toFixed(2).padStart(8),
      `${paced.p50.toFixed(1)} / ${paced.p99.toFixed(1)}`.padStart(21),
      `${pacedFloor.p50.toFixed(1)} / ${pacedFloor.p99.toFixed(1)}`.padStart(21),
    ];
    console.log(cells.join(''));
  }
} finally {
  await broker.stop();
}
