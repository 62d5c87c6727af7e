import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { type DialectName, dialectNames } from '../../src/broker/connection.ts';
import { pause } from '../../src/lib/deadline.ts';
import { MemoryBroker } from '../brokers/memory-broker.ts';
import { useFastTime } from '../fast-time.ts';
import { type Answer, settled, temporaryFolder } from '../helpers.ts';
import { MemorySite } from './memory-site.ts';
import { inProcess, outcome } from './outcome.ts';
import { sets } from './site.ts';

const quick = { fast_processing: { slice_processing_time: 2, target_worker_count: 8 } };
const sameQuick = sets('fast_processing.slice_processing_time=2', 'fast_processing.target_worker_count=8');

const complete = { status: 'completed', slices_failed: 0 };

useFastTime(30);

/** An in-memory broker, and a namespace on it. */
const siteOn = (
  kind: DialectName,
  given: Record<string, object> = quick,
): { broker: MemoryBroker; here: MemorySite } => {
  const broker = new MemoryBroker(kind);
  return { broker, here: new MemorySite(broker, given) };
};

describe.each(dialectNames)('the workflow over an in-memory broker that behaves like %s', (kind) => {
  const site = (given?: Record<string, object>) => siteOn(kind, given);

  it('ends as in one process if its agents have no store', async () => {
    const { here } = site();
    await Promise.all([here.agent('data'), here.agent('fastmon'), here.agent('worker'), here.agent('worker', 2)]);
    await (
      await here.run(4)
    ).done;
    expect(await here.monitor()).toMatchObject({ ...complete, slices_completed: 60 });
    expect(await outcome(here.folder)).toEqual(await inProcess(4, ...sameQuick));
  });

  it('continues after broken connections, and hosts the agents that do not run elsewhere', async () => {
    const { broker, here } = site();
    await Promise.all([here.agent('data'), here.agent('worker')]);
    const run = await here.run(6, ['data']);
    for (let round = 0; round < 3; round += 1) {
      await expect.poll(async () => (await here.monitor())['slices_completed']).toBeGreaterThan(10 * round);
      broker.goDown();
      broker.comeUp();
    }
    await run.done;
    expect(await here.monitor()).toMatchObject({ ...complete, slices_completed: 90 });
    expect(await outcome(here.folder)).toEqual(await inProcess(6, ...sameQuick));
  });

  it('passes a slice that its worker cannot do to another worker, in the same attempt', async () => {
    const { here } = site({ fast_processing: { slices_per_sample: 3, target_worker_count: 4 } });
    const payload = join(here.folder, 'payload.sh');
    writeFileSync(payload, '#!/bin/sh\nexit 0\n', { mode: 0o755 });
    const worker = { payload: [payload] };
    await here.agent('worker');
    const run = await here.run(1, ['worker'], { worker });
    await expect.poll(() => here.lines.join('\n')).toMatch(/off duty for NO_PAYLOAD payload\.sh/);
    await here.agent('worker', 2, { worker });
    await run.done;
    expect(await here.monitor()).toMatchObject({ ...complete, slices_completed: 3, slices_retried: 0 });
  });

  it('reports for each execution the slices that no worker can do, even if the broker withholds them', async () => {
    const { here } = site({ fast_processing: { slices_per_sample: 3, target_worker_count: 1 } });
    const payload = join(here.folder, 'payload.sh');
    writeFileSync(payload, '#!/bin/sh\nexit 0\n', { mode: 0o755 });
    await here.agent('worker');
    const told = async (): Promise<string[]> =>
      ((await here.monitor())['findings'] as Answer[])
        .filter(({ code }) => code === 'NO_WORKER_FOR')
        .map(({ sentence }) => sentence as string);
    for (let round = 0; round < 2; round += 1) {
      const run = await here.run(1, ['worker'], { worker: { payload: [payload] } });
      await expect
        .poll(told)
        .toEqual([
          expect.stringMatching(
            /^worker-agent-\S+ on \S+: slices require the payload payload\.sh .*so 3 TF slices are waiting, and no other worker is alive\.$/,
          ),
        ]);
      await run.stop('enough');
      await run.done;
    }
  });
});

describe('the workflow over any broker', () => {
  const site = (given?: Record<string, object>) => siteOn('artemis', given);

  it('runs two executions at the same time with one recorder', async () => {
    const { here } = site();
    await here.recorder();
    await Promise.all([here.agent('data'), here.agent('fastmon'), here.agent('worker')]);
    for (const executed_by of ['one', 'two'])
      await here.say('/queue/workflow_control', {
        msg_type: 'run_workflow',
        command_id: executed_by,
        sender: executed_by,
        executed_by,
        speed: 50,
        params: { fast_processing: { stf_count: 2 } },
      });
    const completed = async (): Promise<unknown> =>
      (await here.askAll('list_workflow_executions')).map(({ executed_by, slices_completed }) => [
        executed_by,
        slices_completed,
      ]);
    await expect.poll(completed).toEqual(
      expect.arrayContaining([
        ['one', 30],
        ['two', 30],
      ]),
    );
  });

  it('keeps apart the slices of two stores whose executions have the same name', async () => {
    const broker = new MemoryBroker('artemis');
    const namespace = 'shared';
    const given = {
      testbed: { namespace, first_execution_number: 7000, first_run_number: 7_000_000 },
      fast_processing: { slice_processing_time: 1 },
      data: { write_files: false },
    };
    const sites = [1, 6].map((stfs) => ({ stfs, site: new MemorySite(broker, given, namespace) }));
    const runs = await Promise.all(sites.map(({ stfs, site: one }) => one.run(stfs, [])));
    expect(runs.map(({ execution_id }) => execution_id)).toEqual(Array(2).fill('stf_datataking-tester-7000'));
    await Promise.all(runs.map(({ done }) => done));
    for (const { stfs, site: one } of sites) {
      expect(await one.monitor()).toMatchObject({ ...complete, slices_completed: 15 * stfs });
      const results = await one.askAll('list_messages', { message_type: 'slice_result' });
      expect(results).toHaveLength(15 * stfs);
      expect(new Set(results.map(({ effect }) => effect))).toEqual(new Set(['applied']));
    }
  });

  it('reports a refused message once, and still sends the messages after it', async () => {
    const { here, broker } = site({ fast_processing: { slices_per_sample: 2, slice_processing_time: 1 } });
    broker.refuse(({ headers, body }) => headers['msg_type'] === 'slice' && body.includes('_slice_000.tf'));
    await here.agent('worker');
    const run = await here.run(1, ['worker']);
    await expect.poll(() => here.monitor()).toMatchObject({ slices_completed: 1, slices_queued: 1 });
    const told = (): string[] => here.lines.filter((line) => /slice_000\.tf\/1 was not sent/.test(line));
    await expect.poll(told).toHaveLength(1);
    await here.command('stop');
    await run.done;
  });

  it('is stalled while the broker is away, even when its workers count as gone and the DAQ continues', async () => {
    const { here, broker } = site({
      fast_processing: { slice_processing_time: 50, target_worker_count: 4 },
      daq_state_machine: { stf_interval: 100 },
    });
    await here.agent('worker');
    const run = await here.run(500, ['worker']);
    await expect.poll(async () => (await here.monitor())['slices_completed']).toBeGreaterThan(5);
    // All four end a slice at once, and report the next one afterwards.
    await expect.poll(() => here.monitor()).toMatchObject({ slices_processing: 4 });
    broker.goDown();
    await expect.poll(async () => (await here.monitor())['slices_to_redo']).toBeGreaterThan(0);
    const before = await here.monitor();
    expect(before).toMatchObject({ health: 'stalled', slices_processing: before['slices_to_redo'] });
    await expect
      .poll(async () => (await here.monitor())['stf_count'])
      .toBeGreaterThan((before['stf_count'] as number) + 5);
    expect(await here.monitor()).toMatchObject({ health: 'stalled', slices_completed: before['slices_completed'] });
    broker.comeUp();
    await run.stop('enough');
    await run.done;
  });

  it("counts the slots of workers that send heartbeats, not the slots in the run's configuration", async () => {
    const { here } = site({ fast_processing: { slice_processing_time: 300 } });
    const slots = (target_worker_count: number) => ({ fast_processing: { target_worker_count } });
    await Promise.all([here.agent('data'), here.agent('fastmon')]);
    const overBroker = { broker: { url: 'stomp://127.0.0.1:61613' } };
    const run = await here.run(4, ['data', 'fastmon', 'worker'], overBroker);
    const capacity = async () => {
      const { capacity: told, progress } = await here.monitor();
      return { ...(told as object), seconds_left: (progress as Answer)['seconds_left'] };
    };
    await expect.poll(capacity).toMatchObject({ workers: 0 });
    expect(await capacity()).not.toHaveProperty('backlog_seconds');
    expect((await capacity()).seconds_left).toBeUndefined();
    await here.agent('worker', 1, slots(3));
    await here.agent('worker', 2, slots(4));
    await expect.poll(capacity).toMatchObject({ workers: 7, seconds_left: expect.any(Number) });
    await run.stop('enough');
    await run.done;
  });

  it('pauses, continues and stops its remote workers', async () => {
    const { here } = site({
      fast_processing: { slice_processing_time: 5, target_worker_count: 4, physics_period_count: 0 },
    });
    await here.agent('worker');
    const run = await here.run(1000, ['worker']);
    const done = async (): Promise<number> => (await here.monitor())['slices_completed'] as number;
    await expect.poll(done).toBeGreaterThan(4);
    await here.command('pause');
    await expect.poll(() => here.monitor()).toMatchObject({ health: 'paused', slices_processing: 0 });
    // A start on its way may still arrive; four slots that continued would do twenty slices in that time.
    const paused = await settled(done, 4000);
    await pause(4000);
    expect(await done()).toBe(paused);
    await here.command('continue');
    await expect.poll(done).toBeGreaterThan(paused);
    await here.command('stop');
    await run.done;
    const ended = await done();
    await pause(4000);
    expect(await here.monitor()).toMatchObject({ status: 'terminated', slices_completed: ended });
  });

  it.each(['worker', 'execution'] as const)('gives up a stalled fetch when its %s ends', async (what) => {
    const stalling = createServer(
      (_, response) => void response.writeHead(200, { 'content-length': '9600' }).write('x'),
    );
    await once(stalling.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => {
      stalling.closeAllConnections();
      stalling.close();
    });
    const { here } = site({ fast_processing: { slices_per_sample: 3, target_worker_count: 2 } });
    const url = `http://127.0.0.1:${(stalling.address() as AddressInfo).port}/data`;
    const asked = once(stalling, 'request');
    const worker = await here.agent('worker', 1, { data: { dir: temporaryFolder(), sources: [url] } });
    const run = await here.run(1, ['worker'], { data: { url } });
    await asked;
    if (what === 'worker') {
      worker.stop();
      await worker.done;
    }
    await run.stop('enough');
    await run.done;
    // The place was not reported as out of reach.
    await pause(4000);
    expect(here.lines.filter((line) => /off duty/.test(line))).toEqual([]);
    expect(await here.askAll('list_messages', { message_type: 'slice_returned' })).toEqual([]);
  });

  it('processes messages sent while no agent was running, once agents start', async () => {
    const { here } = site();
    for (const agent of await Promise.all([here.agent('data'), here.agent('fastmon')])) {
      agent.stop();
      await agent.done;
    }
    const run = await here.run(2);
    await expect.poll(() => here.monitor()).toMatchObject({ stf_count: 2, phase: 'completed' });
    await Promise.all([here.agent('data'), here.agent('fastmon'), here.agent('worker')]);
    await run.done;
    expect(await here.monitor()).toMatchObject({ ...complete, slices_completed: 30 });
  });
});

describe('a worker off duty', () => {
  it('on a broker without selectors leaves the queue to a worker that can do the slices', async () => {
    const broker = new MemoryBroker('rabbitmq');
    const here = new MemorySite(broker, { fast_processing: { slices_per_sample: 15, slice_processing_time: 5 } });
    const payload = join(here.folder, 'payload.sh');
    writeFileSync(payload, '#!/bin/sh\nexit 0\n', { mode: 0o755 });
    const worker = { payload: [payload] };
    await here.agent('worker', 1, { worker, fast_processing: { target_worker_count: 2 } });
    await here.agent('worker', 2, { fast_processing: { target_worker_count: 4 } });
    const run = await here.run(4, ['worker'], { worker });
    const offDuty = async (): Promise<Answer[]> =>
      ((await here.monitor())['findings'] as Answer[]).filter(({ code }) => code === 'WORKER_OFF_DUTY');
    await expect.poll(offDuty).toEqual([
      expect.objectContaining({
        sentence: expect.stringMatching(/^worker-agent-\S+ on \S+: .*\b4 slots\b.* since 20/),
      }),
    ]);
    await run.done;
    expect(await here.monitor()).toMatchObject({ status: 'completed', slices_completed: 60 });
    // Only the slices that its slots held when it went off duty: it stayed away for the rest of the run.
    const returned = await here.askAll('list_messages', { message_type: 'slice_returned' });
    expect(returned.length).toBeLessThanOrEqual(4);
    expect(returned.length).toBeGreaterThan(0);
  });
});
