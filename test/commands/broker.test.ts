import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type Broker, brokerIsMissing, startBroker } from '../activemq.ts';
import {
  type Answer,
  ask,
  askAll,
  connectInProcess,
  runWorkflow,
  type Started,
  startCli,
  temporaryFolder,
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

function startAgents(folder: string, types: string[]): Started[] {
  return types.map((type) => start(folder, ['agent', type, '--broker', broker.url, ...settings]));
}

/** Everything that an execution came to, whoever worked on it and when. */
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
      .filter(({ message_type }) => !['slice_started', 'run_workflow'].includes(message_type as string))
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
    await delay(0);
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
      replace(4 + round, 'worker');
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
});
