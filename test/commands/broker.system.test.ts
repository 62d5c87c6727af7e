import { readFileSync, writeFileSync } from 'node:fs';
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
  type Started,
  startCli,
  temporaryFolder,
  startProcess,
} from '../helpers.ts';
import { inProcess, outcome } from '../remote/outcome.ts';

const missing = brokerIsMissing();
let broker: Broker;

beforeAll(async () => {
  if (missing === undefined) broker = await startBroker();
});
afterAll(() => (missing === undefined ? broker.stop() : undefined));

const settings = [
  '--set',
  'testbed.namespace=test',
  '--set',
  'fast_processing.slice_processing_time=2',
  '--set',
  'fast_processing.target_worker_count=8',
];
const start = (folder: string, args: string[]): Started => startCli(args, { folder, env: broker.env });

/** An independent client: Python's stomp. */
function startPeer(...args: string[]): Started {
  return startProcess('/usr/bin/python3', [resolve('test/peer.py'), String(broker.port), 'test', ...args], {
    folder: temporaryFolder(),
  });
}

/** Agents that share the data folder of one store, each with its own index. */
function startAgents(folder: string, types: string[]): Started[] {
  const dir = join(folder, 'swf.db.data');
  return types.map((type, index) =>
    start(folder, [
      'agent',
      type,
      '--index',
      String(index + 1),
      '--broker',
      broker.url,
      ...settings,
      '--set',
      `data.dir=${dir}`,
    ]),
  );
}

describe.skipIf(missing !== undefined)('over a broker', () => {
  it('a run requested by an independent client has the same outcome as in one process, and sends each broadcast once', async () => {
    const folder = temporaryFolder();
    const ear = startPeer('listen');
    await ear.saw(/ready/);
    const agents = startAgents(folder, [
      'daq_simulator',
      'data',
      'data',
      'fastmon',
      'worker',
      'worker',
      'worker',
      'worker',
    ]);
    await Promise.all(agents.map((agent) => agent.saw(/is running in namespace test/)));
    expect(await startPeer('start', '20').finished).toMatchObject({ code: 0 });
    await ear.saw(/workflow_ended/);
    expect(await outcome(folder)).toEqual(await inProcess(20, ...settings));
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

  it('an independent client receives slices by selector and sends results as a worker', async () => {
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

  it('invalid requests are recorded with the reason, and the agent keeps running', async () => {
    const folder = temporaryFolder();
    const [agent] = startAgents(folder, ['daq_simulator']);
    await agent?.saw(/is running in namespace test/);
    // The durable subscription is made by a second connection, a moment later.
    await delay(1500);
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
    await expect.poll(async () => (await ask(client, 'list_messages'))['total_count']).toBe(9);
    const { items } = await ask(client, 'list_messages', { order: 'oldest' });
    const reasons = (items as Answer[]).map(({ effect, effect_reason }) => `${effect}: ${effect_reason}`);
    for (const reason of [
      'only the bare name of a configuration is allowed',
      'sets data, which is not allowed',
      'stf_count',
      'executed_by',
      'speed max',
      'not JSON',
      'nested deeper than 100',
      'run_workflow is accepted only from /queue/workflow_control',
      'start_run is accepted only from /topic/epictopic',
    ]) {
      expect(reasons).toContainEqual(expect.stringMatching(new RegExp(`^rejected: .*${reason}`)));
    }
    expect((await ask(client, 'list_workflow_executions'))['items']).toEqual([]);
    await bus.close();
    agent?.child.kill('SIGTERM');
    expect(await agent?.finished).toMatchObject({ code: 0 });
  });

  it('a worker discards invalid messages, and finishes its slices when it is asked to stop', async () => {
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
    const worker = (index = 1): Started =>
      start(folder, ['agent', 'worker', '--index', String(index), '--broker', broker.url, ...own]);
    const first = worker();
    await first.saw(/is running in namespace calm/);
    const bus = connectByStomp(
      { servers: parseBrokerUrl(broker.url), user: 'swf', password: 'secret', heartbeatSeconds: 30 },
      () => {},
    );
    await bus.connect({ once: true });
    for (const body of ['{broken', '{"msg_type":"slice"}', 'y'.repeat(2_000_000)])
      await bus.send({
        destination: '/queue/panda.transformer.slices',
        headers: { namespace: 'calm', store_id: 'x' },
        body,
      });
    await bus.close();
    await first.saw(/(?:[^]*discarded a message on the slice queue){3}/);
    const client = (): ReturnType<typeof connectInProcess> => connectInProcess(join(folder, 'swf.db'));
    const count = async (args: object) =>
      (await ask(await client(), 'list_messages', { ...args }))['total_count'] as number;

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
    await run.saw(/start_run/);
    await expect.poll(() => count({ message_type: 'slice_started' })).toBe(2);
    const second = worker(2);
    await second.saw(/is running in namespace calm/);
    first.child.kill('SIGTERM');
    expect(await first.finished).toMatchObject({ code: 0 });
    expect(await run.finished).toMatchObject({ code: 0 });
    expect(await count({ message_type: 'slice_started' })).toBe(2);
    expect(await count({ message_type: 'slice_result' })).toBe(2);
    second.child.kill('SIGTERM');
    await second.finished;
  });

  it('a worker stopped in standby exits despite a waiting slice, and another worker continues the run', async () => {
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
    await expect.poll(created).toBe(3);
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

  it('a message sent while the recorder is down is recorded when it restarts', async () => {
    const folder = temporaryFolder();
    const [first] = startAgents(folder, ['daq_simulator']);
    await first?.saw(/is running in namespace test/);
    // The durable subscription is made by a second connection, a moment later.
    await delay(1500);
    first?.child.kill('SIGTERM');
    await first?.finished;
    const bus = connectByStomp(
      { servers: parseBrokerUrl(broker.url), user: 'swf', password: 'secret', heartbeatSeconds: 30 },
      () => {},
    );
    await bus.connect({ once: true });
    const of = {
      namespace: 'test',
      execution_id: 'foreign-x-0001',
      run_id: '7',
      message_id: 'foreign-x-0001/start_run',
    };
    const body = { msg_type: 'start_run', sender: 'x', ...of };
    await bus.send({
      destination: '/topic/epictopic',
      headers: { namespace: 'test', persistent: 'true' },
      body: JSON.stringify(body),
    });
    await bus.close();
    const [second] = startAgents(folder, ['daq_simulator']);
    const client = await connectInProcess(join(folder, 'swf.db'));
    await expect.poll(async () => (await ask(client, 'list_messages', { search: 'foreign-x' }))['total_count']).toBe(1);
    second?.child.kill('SIGTERM');
    await second?.finished;
  });

  it('an agent waits for an unreachable broker, but a run fails with the reason and starts no execution', async () => {
    const folder = temporaryFolder();
    const nowhere = 'stomp://127.0.0.1:1';
    const [agent] = [start(folder, ['agent', 'data', '--broker', `${nowhere},${broker.url}`, ...settings])];
    await agent.saw(/is running in namespace test/);
    agent.child.kill('SIGTERM');
    expect(await agent.finished).toMatchObject({ code: 0 });
    const waiting = start(folder, ['agent', 'data', '--broker', nowhere, ...settings]);
    await waiting.saw(/cannot be reached/);
    waiting.child.kill('SIGTERM');
    expect(await waiting.finished).toMatchObject({ code: 0 });
    const other = temporaryFolder();
    for (const [url, env, line] of [
      [nowhere, {}, /^BROKER_UNREACHABLE: stomp:\/\/127\.0\.0\.1:1 cannot be reached: .*\n$/],
      [broker.url, { ACTIVEMQ_PASSWORD: 'wrong' }, /^BROKER_REFUSED: .*check the user name and password\n$/],
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

  it('doctor passes every check, removes the durable subscription, and reports a refused login', async () => {
    const folder = temporaryFolder();
    const [agent] = startAgents(folder, ['daq_simulator']);
    await agent?.saw(/is running in namespace test/);
    await delay(1000);
    agent?.child.kill('SIGTERM');
    await agent?.finished;
    const { code, stdout } = await start(folder, [
      'doctor',
      '--broker',
      broker.url,
      '--set',
      'testbed.namespace=test',
      '--wait',
      '1',
      '--prove',
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
        'heard',
        'other program',
        'remains',
        'broadcast',
        'slices',
        'results',
        'control',
        'telemetry',
        'clock',
        'selector',
        'deep queue',
        'fair share',
        'durable',
        'expiry',
        'time limit',
        'unsubscribe',
      ].map((subject) => `ok    ${subject}`),
    });
    const refused = await startCli(['doctor', '--broker', broker.url], {
      folder,
      env: { ...broker.env, ACTIVEMQ_PASSWORD: 'wrong' },
    }).finished;
    expect(refused).toMatchObject({ code: 1, stdout: expect.stringMatching(/^fail {2}login .*BROKER_REFUSED/m) });
  });

  it('a run over TLS uses the CA file from the environment, and refuses an unknown certificate', async () => {
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

  it('a slice that kills its workers fails after the third worker and is retried, and the run completes', async () => {
    const folder = temporaryFolder();
    const payload = join(folder, 'poison.sh');
    writeFileSync(payload, `#!/bin/sh\n[ -e ${folder}/antidote ] || kill -9 $PPID\n`, { mode: 0o755 });
    const own = [
      'testbed.namespace=deadly',
      'fast_processing.target_worker_count=1',
      'fast_processing.slices_per_sample=1',
      `worker.payload=["${payload}"]`,
      `data.dir=${join(folder, 'swf.db.data')}`,
    ].flatMap((pair) => ['--set', pair]);
    const worker = (): Started => start(folder, ['agent', 'worker', '--broker', broker.url, ...own]);
    const args = ['--stf-count', '1', '--speed', '10', '--json', ...own, '--set', 'agents.worker.enabled=false'];
    const run = start(folder, ['run', '--broker', broker.url, ...args]);
    await run.saw(/start_run/);
    const client = await connectInProcess(join(folder, 'swf.db'));
    const results = (): Promise<Answer[]> =>
      askAll(client, 'list_messages', { message_type: 'slice_result', order: 'oldest' });
    // Whatever restarts it, the worker has the same name each time.
    while ((await results()).length === 0) expect(await worker().finished).toMatchObject({ signal: 'SIGKILL' });
    writeFileSync(join(folder, 'antidote'), '');
    const survivor = worker();
    const { code, stdout } = await run.finished;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ slices_completed: 1, slices_failed: 0 });
    const [slice] = await askAll(client, 'list_tf_slices');
    expect(slice).toMatchObject({ status: 'completed', retries: 1 });
    expect(
      (await results())
        .filter(({ effect }) => effect === 'applied')
        .map(({ sender_agent, body }) => [(sender_agent as string).replace(/-agent.*/, ''), body]),
    ).toEqual([
      ['fast_processing', expect.objectContaining({ state: 'failed', error: 'worker vanished 3 times' })],
      ['worker', expect.objectContaining({ state: 'done' })],
    ]);
    survivor.child.kill('SIGTERM');
    await survivor.finished;
  });

  it('the commands in docs/broker.md work', async () => {
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
    await agent.saw(/is running in namespace mine/);
    // As documented it would take minutes of real time.
    expect(await start(folder, [...run, '--speed', '100', '--stf-count', '2']).finished).toMatchObject({ code: 0 });
    agent.child.kill('SIGTERM');
    expect(await agent.finished).toMatchObject({ code: 0 });
  });
});
