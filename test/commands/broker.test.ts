import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { parseBrokerUrl } from '../../src/broker/address.ts';
import { connectByStomp } from '../../src/broker/stomp-connection.ts';
import { brokerIsMissing, startBroker } from '../brokers/activemq.ts';
import type { Broker } from '../brokers/broker.ts';
import { startTls } from '../brokers/network.ts';
import {
  type Answer,
  ask,
  askAll,
  connectInProcess,
  runWorkflow,
  type Started,
  startCli,
  temporaryFolder,
  startProcess,
} from '../helpers.ts';

const missing = brokerIsMissing();
let broker: Broker;

beforeAll(async () => {
  if (missing === undefined) broker = await startBroker();
}, 90_000);
afterAll(() => (missing === undefined ? broker.stop() : undefined));

const settings = [
  '--set',
  'testbed.namespace=test',
  '--set',
  'fast_processing.slice_processing_time=2',
  '--set',
  'fast_processing.target_worker_count=8',
];
const driverOnly = ['data', 'fastmon', 'fast_processing', 'worker'].flatMap((type) => [
  '--set',
  `agents.${type}.enabled=false`,
]);

const start = (folder: string, args: string[]): Started => startCli(args, { folder, env: broker.env });

/** A client that is not ours: Python's stomp. */
function startPeer(...args: string[]): Started {
  return startProcess('/usr/bin/python3', [resolve('test/peer.py'), String(broker.port), 'test', ...args], {
    folder: temporaryFolder(),
  });
}

function startAgents(folder: string, types: string[]): Started[] {
  return types.map((type) => start(folder, ['agent', type, '--broker', broker.url, ...settings]));
}

/** Everything that an execution came to, apart from the workers and the times. */
async function outcome(folder: string): Promise<unknown> {
  const client = await connectInProcess(join(folder, 'swf.db'));
  const monitor = await ask(client, 'get_workflow_monitor', { execution_id: 'latest' });
  const { execution_id, run_number } = monitor;
  const neutral = (text: string): string =>
    text.replaceAll(execution_id as string, 'EXECUTION').replaceAll(String(run_number), 'RUN');
  const messages = await askAll(client, 'list_messages', { execution_id: 'latest', limit: 200 });
  const slices = await askAll(client, 'list_tf_slices', { execution_id: 'latest', limit: 200 });
  const files = await askAll(client, 'list_stf_files', { execution_id: 'latest', limit: 200 });
  return {
    counts: [
      'status',
      'phase',
      'stf_count',
      'tf_files_received',
      'slices_created',
      'slices_completed',
      'slices_failed',
    ].map((key) => monitor[key]),
    messages: messages
      .filter(({ message_type }) => !/^(slice_started|run_workflow|driver_\w+)$/.test(message_type as string))
      .filter(({ effect }) => effect === 'applied')
      .map(({ message_id, message_type }) =>
        neutral(
          message_type === 'slice_result'
            ? (message_id as string).replace(/\/[^/]*-agent-.*$/, '')
            : (message_id as string),
        ),
      )
      .toSorted(),
    slices: slices.map((slice) => [neutral(slice['slice_filename']), slice['status'], slice['retries']]).toSorted(),
    files: files
      .map((file) => [neutral(file['stf_filename']), file['status'], file['size_bytes'], file['slice_count']])
      .toSorted(),
  };
}

async function inProcess(stfs: number): Promise<unknown> {
  const folder = temporaryFolder();
  await runWorkflow(folder, '--stf-count', String(stfs), ...settings);
  return outcome(folder);
}

const trouble = (items: Answer[]): Answer[] => items.filter(({ effect }) => effect !== 'applied');

describe.skipIf(missing !== undefined)('over a broker', { timeout: 180_000 }, () => {
  it('one process with all agents ends as it does without', async () => {
    const folder = temporaryFolder();
    const { code, stdout, stderr } = await start(folder, [
      'run',
      '--broker',
      broker.url,
      '--stf-count',
      '3',
      '--speed',
      '20',
      '--json',
      ...settings,
    ]).finished;
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(JSON.parse(stdout)).toMatchObject({ status: 'completed', slices_completed: 45, slices_failed: 0 });
    expect(await outcome(folder)).toEqual(await inProcess(3));
    const client = await connectInProcess(join(folder, 'swf.db'));
    expect(trouble(await askAll(client, 'list_messages', { limit: 200 }))).toEqual([]);
  });

  it('ten processes on one store, driver, agents and workers apart, end as one does', async () => {
    const folder = temporaryFolder();
    const agents = startAgents(folder, [
      'data',
      'data',
      'fastmon',
      'fast_processing',
      'worker',
      'worker',
      'worker',
      'worker',
    ]);
    await Promise.all(agents.map((agent) => agent.saw(/works in namespace test/)));
    const run = start(folder, [
      'run',
      '--broker',
      broker.url,
      '--stf-count',
      '20',
      '--speed',
      '20',
      '--json',
      ...settings,
      ...driverOnly,
    ]);
    const { code, stdout, stderr } = await run.finished;
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'completed',
      stf_count: 20,
      slices_completed: 300,
      slices_failed: 0,
    });
    expect(await outcome(folder)).toEqual(await inProcess(20));
    for (const agent of agents) agent.child.kill('SIGTERM');
    for (const ended of await Promise.all(agents.map(({ finished }) => finished)))
      expect(ended).toMatchObject({ code: 0 });
  });

  it('loses nothing and does nothing twice when the broker is killed three times, an agent of each kind once and two workers', async () => {
    const folder = temporaryFolder();
    const agents = startAgents(folder, [
      'data',
      'data',
      'fastmon',
      'fast_processing',
      'worker',
      'worker',
      'worker',
      'worker',
    ]);
    await Promise.all(agents.map((agent) => agent.saw(/works in namespace test/)));
    const run = start(folder, [
      'run',
      '--broker',
      broker.url,
      '--stf-count',
      '20',
      '--speed',
      '5',
      '--json',
      ...settings,
      ...driverOnly,
    ]);
    await run.saw(/start_run/);
    const replace = (index: number, type: string): void => {
      agents[index]?.child.kill('SIGKILL');
      agents.push(...startAgents(folder, [type]));
    };
    for (const round of [0, 1, 2]) {
      await delay(700);
      await broker.kill();
      if (round === 0) replace(0, 'data');
      if (round === 1) replace(2, 'fastmon');
      if (round === 2) replace(3, 'fast_processing');
      if (round > 0) replace(3 + round, 'worker');
      await broker.start();
    }
    const { code, stdout, stderr } = await run.finished;
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'completed',
      stf_count: 20,
      slices_completed: 300,
      slices_failed: 0,
    });
    expect(await outcome(folder)).toEqual(await inProcess(20));
    for (const agent of agents) agent.child.kill('SIGKILL');
  });

  it('a run that an independent client asks for ends as one in a single process, and the client hears all broadcasts', async () => {
    const folder = temporaryFolder();
    const ear = startPeer('listen');
    await ear.saw(/ready/);
    const agents = startAgents(folder, [
      'daq_simulator',
      'data',
      'data',
      'fastmon',
      'fast_processing',
      'worker',
      'worker',
      'worker',
      'worker',
    ]);
    await Promise.all(agents.map((agent) => agent.saw(/works in namespace test/)));
    expect(await startPeer('start', '20').finished).toMatchObject({ code: 0 });
    await ear.saw(/workflow_ended/);
    expect(await outcome(folder)).toEqual(await inProcess(20));
    const client = await connectInProcess(join(folder, 'swf.db'));
    const { items } = await ask(client, 'list_workflow_executions');
    expect(items).toMatchObject([
      { executed_by: 'peer', status: 'completed', execution_id: expect.stringMatching(/^stf_datataking-peer-\d{4}$/) },
    ]);
    for (const agent of agents) agent.child.kill('SIGTERM');
    await Promise.all(agents.map(({ finished }) => finished));
    ear.child.stdin?.end();
    const heard = (await ear.finished).stdout
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => JSON.parse(line) as Answer);
    const counts: Record<string, number> = {};
    for (const { msg_type, header, namespace } of heard) {
      expect({ header, namespace }).toEqual({ header: msg_type, namespace: 'test' });
      counts[msg_type as string] = (counts[msg_type as string] ?? 0) + 1;
    }
    expect(counts).toEqual({
      driver_started: 1,
      driver_ended: 1,
      run_imminent: 1,
      start_run: 1,
      stf_gen: 20,
      stf_ready: 20,
      tf_file_registered: 20,
      end_run: 1,
      workflow_ended: 1,
    });
  });

  it('an independent client takes slices by selector and answers as a worker', async () => {
    const folder = temporaryFolder();
    const hand = startPeer('work');
    await hand.saw(/ready/);
    const run = start(folder, [
      'run',
      '--broker',
      broker.url,
      '--stf-count',
      '3',
      '--speed',
      '20',
      '--json',
      ...settings,
      '--set',
      'agents.worker.enabled=false',
    ]);
    const { code, stdout, stderr } = await run.finished;
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(JSON.parse(stdout)).toMatchObject({ slices_completed: 45, slices_failed: 0 });
    const client = await connectInProcess(join(folder, 'swf.db'));
    const slices = await askAll(client, 'list_tf_slices', { execution_id: 'latest' });
    expect(new Set(slices.map(({ assigned_worker }) => assigned_worker))).toEqual(new Set(['peer/01']));
    hand.child.stdin?.end();
    await hand.finished;
  });

  it('requests that cannot be granted are recorded with the reason, and the agent goes on', async () => {
    const folder = temporaryFolder();
    const [agent] = startAgents(folder, ['daq_simulator']);
    await agent?.saw(/works in namespace test/);
    const bus = connectByStomp(
      { servers: parseBrokerUrl(broker.url), user: 'swf', password: 'secret', heartbeatSeconds: 30 },
      () => {},
    );
    await bus.connect({ once: true });
    const ask1 = (fields: object) =>
      bus.send({
        destination: '/queue/workflow_control',
        headers: { namespace: 'test' },
        body: JSON.stringify({ msg_type: 'run_workflow', sender: 'x', workflow_name: 'w', ...fields }),
      });
    await ask1({ config: '../../etc/passwd' });
    await ask1({ params: { data: { dir: '/etc' } } });
    await ask1({ params: { stf_cuont: 1 } });
    await ask1({ executed_by: '../x' });
    await ask1({ speed: 'max' });
    await bus.send({ destination: '/queue/workflow_control', headers: { namespace: 'test' }, body: '{broken' });
    const nested = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
    await bus.send({
      destination: '/queue/workflow_control',
      headers: { namespace: 'test' },
      body: `{"msg_type":"run_workflow","params":{"x":${nested}}}`,
    });
    await bus.send({
      destination: '/queue/workflow_control',
      headers: { namespace: 'test' },
      body: JSON.stringify({ msg_type: 'start_run', sender: 'x', namespace: 'test', execution_id: 'w-x-0001' }),
    });
    const evil = {
      msg_type: 'run_workflow',
      command_id: 'e',
      sender: 'x',
      namespace: 'test',
      workflow_name: 'w',
      executed_by: 'x',
      speed: 1,
      params: { data: { dir: '/etc' }, broker: { url: 'x' } },
    };
    await bus.send({ destination: '/topic/epictopic', headers: { namespace: 'test' }, body: JSON.stringify(evil) });
    const client = await connectInProcess(join(folder, 'swf.db'));
    await expect.poll(async () => (await ask(client, 'list_messages'))['total_count'], { timeout: 10_000 }).toBe(9);
    const { items } = await ask(client, 'list_messages', { order: 'oldest' });
    const reasons = (items as Answer[]).map(({ effect, effect_reason }) => `${effect}: ${effect_reason}`);
    for (const reason of [
      'may give the bare name of a configuration only',
      'sets data, which it may not',
      'stf_count',
      'executed_by',
      'speed max',
      'not JSON',
      'nested deeper than 100',
      'run_workflow is taken from /queue/workflow_control',
      'start_run is taken from /topic/epictopic',
    ]) {
      expect(reasons).toContainEqual(expect.stringMatching(new RegExp(`^rejected: .*${reason}`)));
    }
    expect((await ask(client, 'list_workflow_executions'))['items']).toEqual([]);
    await bus.close();
    agent?.child.kill('SIGTERM');
    expect(await agent?.finished).toMatchObject({ code: 0 });
  });

  it('nonsense for workers is recorded as rejected, and a worker told to stop finishes its slice, which nobody else begins', async () => {
    const folder = temporaryFolder();
    const own = [
      '--set',
      'testbed.namespace=calm',
      '--set',
      'fast_processing.target_worker_count=2',
      '--set',
      'fast_processing.slices_per_sample=2',
      '--set',
      'fast_processing.slice_processing_time=60',
    ];
    const worker = (): Started => start(folder, ['agent', 'worker', '--broker', broker.url, ...own]);
    const first = worker();
    await first.saw(/works in namespace calm/);
    const bus = connectByStomp(
      { servers: parseBrokerUrl(broker.url), user: 'swf', password: 'secret', heartbeatSeconds: 30 },
      () => {},
    );
    await bus.connect({ once: true });
    for (const body of ['{broken', '{"msg_type":"slice"}', 'y'.repeat(2_000_000)])
      await bus.send({ destination: '/queue/panda.transformer.slices', headers: { namespace: 'calm' }, body });
    await bus.close();
    const client = await connectInProcess(join(folder, 'swf.db'));
    const count = async (args: object) => (await ask(client, 'list_messages', { ...args }))['total_count'] as number;
    await expect.poll(() => count({}), { timeout: 10_000 }).toBe(3);
    expect((await askAll(client, 'list_messages')).map(({ effect }) => effect)).toEqual([
      'rejected',
      'rejected',
      'rejected',
    ]);

    const run = start(folder, [
      'run',
      '--broker',
      broker.url,
      '--stf-count',
      '1',
      '--speed',
      '20',
      '--json',
      ...own,
      '--set',
      'agents.worker.enabled=false',
    ]);
    await expect.poll(() => count({ message_type: 'slice_started' }), { timeout: 20_000 }).toBe(2);
    const second = worker();
    await second.saw(/works in namespace calm/);
    first.child.kill('SIGTERM');
    expect(await first.finished).toMatchObject({ code: 0 });
    expect(await run.finished).toMatchObject({ code: 0 });
    expect(await count({ message_type: 'slice_started' })).toBe(2);
    expect(await count({ message_type: 'slice_result' })).toBe(2);
    second.child.kill('SIGTERM');
    await second.finished;
  });

  it('a worker told to stop in standby, with a slice that waits, ends; and the run goes on with another', async () => {
    const folder = temporaryFolder();
    const own = [
      '--set',
      'testbed.namespace=waits',
      '--set',
      'fast_processing.target_worker_count=1',
      '--set',
      'fast_processing.slices_per_sample=3',
      '--set',
      'fast_processing.slice_processing_time=20',
      '--set',
      'fast_processing.physics_period_count=2',
      '--set',
      'daq_state_machine.standby_duration=80',
    ];
    const worker = (): Started => start(folder, ['agent', 'worker', '--broker', broker.url, ...own]);
    const first = worker();
    const run = start(folder, [
      'run',
      '--broker',
      broker.url,
      '--stf-count',
      '1',
      '--speed',
      '20',
      '--json',
      ...own,
      '--set',
      'agents.worker.enabled=false',
    ]);
    await run.saw(/pause_run/);
    const client = await connectInProcess(join(folder, 'swf.db'));
    const created = async () =>
      (await ask(client, 'get_workflow_monitor', { execution_id: 'latest' }))['slices_created'] as number;
    await expect.poll(created, { timeout: 10_000 }).toBe(3);
    // The broker has handed one of them to the worker's slot by now.
    await delay(300);
    first.child.kill('SIGTERM');
    expect(await first.finished).toMatchObject({ code: 0 });
    expect(await ask(client, 'get_workflow_monitor', { execution_id: 'latest' })).toMatchObject({
      phase: 'standby',
      health: 'paused',
      slices_completed: 0,
    });
    const second = worker();
    const { code, stdout } = await run.finished;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ slices_completed: 6, slices_failed: 0 });
    second.child.kill('SIGTERM');
    await second.finished;
  });

  it('what was said while no process of the store was there is recorded when one comes', async () => {
    const folder = temporaryFolder();
    const [first] = startAgents(folder, ['data']);
    await first?.saw(/works in namespace test/);
    // The durable subscription is made by a second connection, a moment later.
    await delay(1500);
    first?.child.kill('SIGTERM');
    await first?.finished;
    const bus = connectByStomp(
      { servers: parseBrokerUrl(broker.url), user: 'swf', password: 'secret', heartbeatSeconds: 30 },
      () => {},
    );
    await bus.connect({ once: true });
    const body = { msg_type: 'start_run', sender: 'x', namespace: 'test', execution_id: 'foreign-x-0001', run_id: '7' };
    await bus.send({
      destination: '/topic/epictopic',
      headers: { namespace: 'test', persistent: 'true' },
      body: JSON.stringify(body),
    });
    await bus.close();
    const [second] = startAgents(folder, ['data']);
    const client = await connectInProcess(join(folder, 'swf.db'));
    await expect
      .poll(async () => (await ask(client, 'list_messages', { search: 'foreign-x' }))['total_count'], {
        timeout: 15_000,
      })
      .toBe(1);
    second?.child.kill('SIGTERM');
    await second?.finished;
  });

  it('a run killed in the middle is resumed over the broker and ends as one left alone', async () => {
    const folder = temporaryFolder();
    const agents = startAgents(folder, ['data', 'fastmon', 'fast_processing', 'worker']);
    await Promise.all(agents.map((agent) => agent.saw(/works in namespace test/)));
    const run = start(folder, [
      'run',
      '--broker',
      broker.url,
      '--stf-count',
      '20',
      '--speed',
      '10',
      ...settings,
      ...driverOnly,
    ]);
    await run.saw(/start_run/);
    await delay(1500);
    run.child.kill('SIGKILL');
    await run.finished;
    const resumed = await start(folder, ['resume', 'latest', '--json']).finished;
    expect(resumed).toMatchObject({ code: 0 });
    expect(JSON.parse(resumed.stdout)).toMatchObject({ status: 'completed', stf_count: 20, slices_completed: 300 });
    expect(await outcome(folder)).toEqual(await inProcess(20));
    for (const agent of agents) agent.child.kill('SIGTERM');
    await Promise.all(agents.map(({ finished }) => finished));
  });

  it('an agent waits for a broker that is not there yet; a run says so and makes nothing', async () => {
    const folder = temporaryFolder();
    const nowhere = 'stomp://127.0.0.1:1';
    const [agent] = [start(folder, ['agent', 'data', '--broker', `${nowhere},${broker.url}`, ...settings])];
    await agent.saw(/works in namespace test/);
    agent.child.kill('SIGTERM');
    expect(await agent.finished).toMatchObject({ code: 0 });
    const waiting = start(folder, ['agent', 'data', '--broker', nowhere, ...settings]);
    await waiting.saw(/cannot be reached/);
    waiting.child.kill('SIGTERM');
    expect(await waiting.finished).toMatchObject({ code: 0 });
    const other = temporaryFolder();
    for (const [url, env, line] of [
      [nowhere, {}, /^BROKER_UNREACHABLE: stomp:\/\/127\.0\.0\.1:1 cannot be reached: .*\n$/],
      [broker.url, { ACTIVEMQ_PASSWORD: 'wrong' }, /^BROKER_REFUSED: .*check user, password and rights\n$/],
    ] as const) {
      const { code, stderr } = await startCli(['run', '--broker', url, '--json', ...settings], {
        folder: other,
        env: { ...broker.env, ...env },
      }).finished;
      expect(code).toBe(1);
      expect(stderr).toMatch(line);
    }
    expect(await askAll(await connectInProcess(join(other, 'swf.db')), 'list_workflow_executions')).toEqual([]);
  });

  it('doctor looks at everything, and removes the durable subscription', async () => {
    const folder = temporaryFolder();
    const [agent] = startAgents(folder, ['data']);
    await agent?.saw(/works in namespace test/);
    await delay(1000);
    agent?.child.kill('SIGTERM');
    await agent?.finished;
    const { code, stdout } = await start(folder, [
      'doctor',
      '--broker',
      broker.url,
      '--set',
      'testbed.namespace=test',
      '--unsubscribe',
    ]).finished;
    expect({
      code,
      lines: stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.slice(0, 19).trimEnd()),
    }).toEqual({
      code: 0,
      lines: [
        'node',
        'user',
        'store',
        'rights',
        'file system',
        'configuration',
        'data',
        'broker',
        'login',
        'clock',
        'broadcast',
        'slices',
        'results',
        'control',
        'unsubscribe',
      ].map((subject) => `ok    ${subject}`),
    });
    const refused = await startCli(['doctor', '--broker', broker.url], {
      folder,
      env: { ...broker.env, ACTIVEMQ_PASSWORD: 'wrong' },
    }).finished;
    expect(refused).toMatchObject({ code: 1, stdout: expect.stringMatching(/^fail {2}login .*BROKER_REFUSED/m) });
  });

  it('runs over TLS with a CA file, taken from the environment, and refuses a certificate that it does not know', async () => {
    const folder = temporaryFolder();
    const terminator = await startTls(broker.port, folder);
    onTestFinished(() => void terminator.server.close());
    const env = {
      ...broker.env,
      ACTIVEMQ_HOST: 'localhost',
      ACTIVEMQ_PORT: String(terminator.port),
      ACTIVEMQ_USE_SSL: 'true',
    };
    const args = ['run', '--broker', 'env', '--stf-count', '1', '--speed', '50', '--json', ...settings];
    const unknown = await startCli(args, { folder, env }).finished;
    expect(unknown).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^BROKER_UNREACHABLE: .*self-signed certificate/),
    });
    const known = await startCli(args, { folder, env: { ...env, ACTIVEMQ_SSL_CA_CERTS: terminator.certificate } })
      .finished;
    expect(known).toMatchObject({ code: 0 });
    expect(JSON.parse(known.stdout)).toMatchObject({ slices_completed: 15 });
  });

  it('a slice that kills its workers is failed after the third and tried again, and the run goes on', async () => {
    const folder = temporaryFolder();
    const own = [
      '--set',
      'testbed.namespace=deadly',
      '--set',
      'fast_processing.target_worker_count=1',
      '--set',
      'fast_processing.slices_per_sample=1',
      '--set',
      'fast_processing.slice_processing_time=20',
    ];
    const worker = (): Started => start(folder, ['agent', 'worker', '--broker', broker.url, ...own]);
    const run = start(folder, [
      'run',
      '--broker',
      broker.url,
      '--stf-count',
      '1',
      '--speed',
      '10',
      '--json',
      ...own,
      '--set',
      'agents.worker.enabled=false',
    ]);
    await run.saw(/start_run/);
    const client = await connectInProcess(join(folder, 'swf.db'));
    const starts = async () =>
      (await ask(client, 'list_messages', { message_type: 'slice_started' }))['total_count'] as number;
    for (const death of [1, 2, 3]) {
      const doomed = worker();
      await expect.poll(starts, { timeout: 20_000 }).toBe(death);
      doomed.child.kill('SIGKILL');
      await doomed.finished;
    }
    const survivor = worker();
    const { code, stdout } = await run.finished;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ slices_completed: 1, slices_failed: 0 });
    const [slice] = await askAll(client, 'list_tf_slices');
    expect(slice).toMatchObject({ status: 'completed', retries: 1 });
    const results = await askAll(client, 'list_messages', { message_type: 'slice_result', order: 'oldest' });
    expect(
      results.map(({ sender_agent, body }) => [
        (sender_agent as string).replace(/-agent.*/, ''),
        (body as Answer)['state'],
      ]),
    ).toEqual([
      ['fast_processing', 'failed'],
      ['worker', 'done'],
    ]);
    survivor.child.kill('SIGTERM');
    await survivor.finished;
  });

  it('the commands of docs/broker.md work', async () => {
    const folder = temporaryFolder();
    const block = /```sh\n([\s\S]*?)```/.exec(readFileSync('docs/broker.md', 'utf8'))?.[1] ?? '';
    const commands = block
      .split('\n')
      .filter((line) => line.startsWith('swf-mcp '))
      .map((line) => line.replace('stomp://127.0.0.1:61613', broker.url).split(' ').slice(1));
    expect(commands.map(([name]) => name)).toEqual(['doctor', 'agent', 'run']);
    const [doctor = [], worker = [], run = []] = commands;
    expect(await start(folder, doctor).finished).toMatchObject({ code: 0 });
    const agent = start(folder, worker);
    await agent.saw(/works in namespace mine/);
    // As it stands there it takes minutes of real time.
    expect(await start(folder, [...run, '--speed', '100', '--stf-count', '2']).finished).toMatchObject({ code: 0 });
    agent.child.kill('SIGTERM');
    expect(await agent.finished).toMatchObject({ code: 0 });
  });
});
