import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { brokerIsMissing, startBroker } from '../brokers/activemq.ts';
import type { Broker } from '../brokers/broker.ts';
import {
  type Answer,
  ask,
  askAll,
  connectInProcess,
  runCli,
  type Started,
  startCli,
  temporaryFolder,
} from '../helpers.ts';
import { Site } from '../remote/site.ts';

const missing = brokerIsMissing();
let broker: Broker;

beforeAll(async () => {
  if (missing === undefined) broker = await startBroker();
});
afterAll(() => (missing === undefined ? broker.stop() : undefined));

const sets = (...pairs: string[]): string[] => pairs.flatMap((pair) => ['--set', pair]);

const common = sets('testbed.namespace=control', 'fast_processing.target_worker_count=4');

const start = (folder: string, ...args: string[]): Started =>
  startCli([...args, '--broker', broker.url, ...common], { folder, env: broker.env });

const control = (folder: string, action: string) => runCli([action, 'latest'], { folder, env: broker.env });

const monitorOf = async (folder: string): Promise<Answer> =>
  ask(await connectInProcess(join(folder, 'swf.db')), 'get_workflow_monitor', { execution_id: 'latest' });

async function until(folder: string, wanted: Answer): Promise<void> {
  await expect.poll(() => monitorOf(folder), { interval: 50 }).toMatchObject(wanted);
}

describe.skipIf(missing !== undefined)('over a broker', () => {
  it('pause, continue and stop reach workers in other processes', async () => {
    const folder = temporaryFolder();
    const worker = start(folder, 'agent', 'worker');
    await worker.saw(/is running in namespace control/);
    const run = start(
      folder,
      'run',
      '--speed',
      '20',
      ...sets(
        'agents.worker.enabled=false',
        'fast_processing.physics_period_count=0',
        'fast_processing.slice_processing_time=2',
      ),
    );
    await run.saw(/start_run/);
    await expect.poll(async () => (await monitorOf(folder))['slices_completed'] as number).toBeGreaterThan(0);
    expect((await control(folder, 'pause')).code).toBe(0);
    await until(folder, { phase: 'standby', health: 'paused', slices_processing: 0 });
    // A remote worker receives the pause a moment later. Then nothing moves, although a slice takes a tenth of a second.
    let paused: Answer = {};
    const stands = async (): Promise<boolean> => {
      const before = paused;
      paused = await monitorOf(folder);
      return ['slices_completed', 'slices_processing', 'stf_count'].every((name) => paused[name] === before[name]);
    };
    await expect.poll(stands, { interval: 1000 }).toBe(true);
    expect(paused['slices_queued']).toBeGreaterThan(0);
    expect((await control(folder, 'continue')).code).toBe(0);
    await expect
      .poll(async () => (await monitorOf(folder))['slices_completed'] as number)
      .toBeGreaterThan(paused['slices_completed'] as number);
    expect((await control(folder, 'stop')).code).toBe(0);
    expect((await run.finished).code).toBe(4);
    expect(await monitorOf(folder)).toMatchObject({ status: 'terminated', phase: 'completed' });
  });

  it('stop ends an execution whose driver was killed', async () => {
    const folder = temporaryFolder();
    const run = start(folder, 'run', '--speed', '20', ...sets('fast_processing.physics_period_count=0'));
    await run.saw(/start_run/);
    run.child.kill('SIGKILL');
    await run.finished;
    expect(await control(folder, 'stop')).toMatchObject({ code: 0 });
    const client = await connectInProcess(join(folder, 'swf.db'));
    const ended = await askAll(client, 'list_messages', { execution_id: 'latest', message_type: 'workflow_ended' });
    expect(ended).toHaveLength(1);
    expect(await monitorOf(folder)).toMatchObject({ status: 'terminated', health: 'finished' });
  });

  it('a pause outlives its recorder, and lasts until the execution is continued', async () => {
    const here = new Site(
      () => broker,
      sets('fast_processing.slice_processing_time=2', 'fast_processing.target_worker_count=8'),
    );
    const first = await here.recorder();
    await Promise.all([here.agent('data'), here.agent('fastmon'), here.agent('worker')]);
    await here.request({ stf_count: 12 }, 5, 'one');
    await expect.poll(async () => (await here.monitor())['slices_completed']).toBeGreaterThan(0);
    expect(await here.control('pause')).toMatchObject({ code: 0 });
    first.child.kill('SIGKILL');
    await first.finished;
    const recorder = await here.recorder();
    await recorder.saw(/resumed .*: its driver was gone; it stays paused/);
    await expect
      .poll(() => here.monitor())
      .toMatchObject({ health: 'paused', phase: 'standby', slices_processing: 0, drivers: [{}, {}] });
    const phases = await here.askAll('list_messages', { message_type: 'resume_run' });
    expect(phases).toEqual([]);
    expect(await here.control('continue')).toMatchObject({ code: 0 });
    await expect
      .poll(() => here.monitor())
      .toMatchObject({ status: 'completed', slices_completed: 180, slices_failed: 0 });
  });

  it('resume reports why the recorder cannot resume the run; the recorder resumes it once possible', async () => {
    const here = new Site(() => broker);
    const first = await here.recorder();
    await here.request({ stf_count: 50 }, 5, 'one');
    await expect.poll(async () => (await here.monitor())['stf_count']).toBeGreaterThan(0);
    first.child.kill('SIGKILL');
    await first.finished;
    renameSync(here.dataFolder, `${here.dataFolder}.away`);
    const recorder = await here.recorder();
    await recorder.saw(/was not resumed: DATA_UNAVAILABLE/);
    const who = String.raw`process \d+ on \S+ is recording this namespace`;
    const resumed = await here.resume().finished;
    expect(resumed).toMatchObject({ code: 1, stdout: '' });
    expect(resumed.stderr).toMatch(
      new RegExp(`^EXECUTION_IN_USE: ${who}, but cannot resume stf_datataking-one-\\d+: DATA_UNAVAILABLE`),
    );
    // The recorder has created an empty one.
    rmSync(here.dataFolder, { recursive: true });
    renameSync(`${here.dataFolder}.away`, here.dataFolder);
    await recorder.saw(/resumed .*: its driver was gone/);
    expect(await here.control('stop')).toMatchObject({ code: 0 });
  });

  it('payloads run in a worker process, and end if that process is killed', async () => {
    const folder = temporaryFolder();
    const payload = join(folder, 'payload.sh');
    writeFileSync(
      payload,
      '#!/bin/sh\n[ -e "$(dirname "$0")/go" ] || sleep 987654321\necho "$SWF_WORKER_ID" > worker.txt\n',
    );
    chmodSync(payload, 0o755);
    const command = sets(`worker.payload=["${payload}"]`);
    const first = start(folder, 'agent', 'worker', ...command);
    await first.saw(/is running in namespace control/);
    const run = start(
      folder,
      'run',
      '--speed',
      '20',
      '--stf-count',
      '1',
      ...command,
      ...sets('agents.worker.enabled=false'),
    );
    const sleeping = (): number =>
      readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && commandOf(pid).includes('987654321')).length;
    await expect.poll(sleeping).toBe(4);
    // A payload may run before the recorder has received that its slice is in hand.
    await until(folder, { slices_processing: 4 });
    // A worker of which no heartbeat came does not count as gone.
    await expect
      .poll(async () => askAll(await connectInProcess(join(folder, 'swf.db')), 'list_agents', { agent_type: 'worker' }))
      .toMatchObject([{ state: 'PROCESSING' }]);
    first.child.kill('SIGKILL');
    await expect.poll(sleeping).toBe(0);
    writeFileSync(join(folder, 'go'), '');
    // A second start by the same slot of a worker with the same name is the same message.
    start(folder, 'agent', 'worker', '--index', '2', ...command);
    expect((await run.finished).code).toBe(0);
    const client = await connectInProcess(join(folder, 'swf.db'));
    const slices = await askAll(client, 'list_tf_slices');
    for (const slice of slices) expect(slice).toMatchObject({ status: 'completed', outputs: [{ name: 'worker.txt' }] });
    // The four that the killed worker had in hand were started twice.
    expect(slices.map(({ retries }) => retries).toSorted()).toEqual([...slices.slice(4).map(() => 0), 1, 1, 1, 1]);
  });
});

function commandOf(pid: string): string {
  const path = `/proc/${pid}/cmdline`;
  try {
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  } catch {
    return '';
  }
}
