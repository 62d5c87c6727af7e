import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Broker, BrokerKind } from '../brokers/broker.ts';
import { startDroppingProxy } from '../brokers/network.ts';
import { type Answer, runCli, startCli, type Started, temporaryFolder } from '../helpers.ts';
import { inProcess, outcome } from './outcome.ts';
import { elsewhere, sets, Site } from './site.ts';

const quick = sets('fast_processing.slice_processing_time=2', 'fast_processing.target_worker_count=8');
const allElsewhere = elsewhere('data', 'fastmon', 'worker');

/**
 * A run over any broker has the same outcome as in one process, whatever dies meanwhile. What recorders and workers decide by
 * themselves is tried on one kind of broker.
 */
export function describeWorkflow({ kind, missing, start }: BrokerKind): void {
  const why = missing();
  if (why !== undefined) console.warn(why);
  describe.skipIf(why !== undefined)(`the workflow over ${kind}`, () => {
    let broker: Broker;
    beforeAll(async () => {
      broker = await start();
    });
    afterAll(() => broker.stop());

    const itsOwn = (title: string, test: () => Promise<void>): void => {
      if (kind === 'activemq') it(title, test);
    };
    const site = (settings: string[] = quick, namespace?: string): Site => new Site(() => broker, settings, namespace);

    const succeeded = async (run: Started, wanted: Answer): Promise<void> => {
      const { code, stdout, stderr } = await run.finished;
      expect({ code, stderr }).toMatchObject({ code: 0 });
      expect(JSON.parse(stdout)).toMatchObject(wanted);
    };

    it('ends as without a broker if one process hosts it, and each of its messages has an effect', async () => {
      const here = site();
      await succeeded(here.run('--stf-count', '3', '--speed', '20'), { status: 'completed', slices_completed: 45 });
      expect(await outcome(here.folder)).toEqual(await inProcess(3, ...quick));
      const messages = await here.askAll('list_messages', { limit: 200 });
      expect(messages.filter(({ effect }) => effect !== 'applied')).toEqual([]);
    });

    it('ends as in one process if its agents have no store; the recorder lists them and their log lines', async () => {
      const here = site();
      const agents = await Promise.all([
        here.agent('data'),
        here.agent('fastmon'),
        here.agent('worker'),
        here.agent('worker', 2),
      ]);
      const run = here.run('--stf-count', '10', '--speed', '20', ...allElsewhere);
      await succeeded(run, { status: 'completed', stf_count: 10, slices_completed: 150, slices_failed: 0 });
      expect(await outcome(here.folder)).toEqual(await inProcess(10, ...quick));
      const slices = await here.askAll('list_tf_slices', { execution_id: 'latest' });
      expect(new Set(slices.map((slice) => (slice['assigned_worker'] as string).split('/')[0])).size).toBe(2);
      const heard = await here.askAll('list_agents');
      expect(heard.map(({ agent_type, status }) => `${agent_type} ${status}`).toSorted()).toEqual([
        'data OK',
        'fastmon OK',
        'worker OK',
        'worker OK',
      ]);
      const lines = await here.askAll('list_logs', { execution_id: 'latest', search: 'is ready' });
      expect(lines).toHaveLength(10);
      expect(lines[0]).toMatchObject({ agent: expect.stringMatching(/^data-agent-tester-\d{8}$/), level: 'INFO' });
      for (const { child } of agents) child.kill('SIGTERM');
      for (const { finished } of agents) expect(await finished).toMatchObject({ code: 0 });
    });

    it('loses nothing and counts nothing twice if broker, recorder and an agent of each type are killed', async () => {
      const here = site();
      const agents = await Promise.all([
        here.agent('data'),
        here.agent('fastmon'),
        here.agent('worker'),
        here.agent('worker', 2),
      ]);
      const run = here.run('--stf-count', '20', '--speed', '5', ...allElsewhere);
      await run.saw(/start_run/);
      await delay(500);
      await broker.kill();
      agents[0]?.child.kill('SIGKILL');
      agents[2]?.child.kill('SIGKILL');
      await broker.start();
      await Promise.all([here.agent('data'), here.agent('worker')]);
      await delay(1500);
      run.child.kill('SIGKILL');
      agents[1]?.child.kill('SIGKILL');
      await run.finished;
      await here.agent('fastmon');
      await succeeded(here.resume(), { status: 'completed', stf_count: 20, slices_completed: 300, slices_failed: 0 });
      expect(await outcome(here.folder)).toEqual(await inProcess(20, ...quick));
      expect(await runCli(['check'], { folder: here.folder })).toMatchObject({ code: 0 });
    });

    it('processes messages sent while no agent was running, once agents start', async () => {
      const here = site();
      for (const { child, finished } of await Promise.all([here.agent('data'), here.agent('fastmon')])) {
        // The durable subscription is made by a second connection, a moment later.
        await delay(1500);
        child.kill('SIGTERM');
        await finished;
      }
      const run = here.run('--stf-count', '3', '--speed', '20', ...allElsewhere);
      await run.saw(/end_run/);
      expect(await here.monitor()).toMatchObject({ stf_count: 3, tf_files_received: 0 });
      await Promise.all([here.agent('data'), here.agent('fastmon'), here.agent('worker')]);
      await succeeded(run, { status: 'completed', slices_completed: 45 });
    });

    itsOwn('runs two executions with one recorder, which is killed and resumes both', async () => {
      const here = site();
      const first = await here.recorder();
      await Promise.all([here.agent('data'), here.agent('fastmon'), here.agent('worker')]);
      for (const executed_by of ['one', 'two']) await here.request({ stf_count: 4 }, 20, executed_by);
      await expect.poll(async () => (await here.askAll('list_tf_slices')).length).toBeGreaterThan(20);
      first.child.kill('SIGKILL');
      await first.finished;
      const recorder = await here.recorder();
      await recorder.saw(/resumed .*: its driver was gone/);
      const executions = async (): Promise<unknown> =>
        (await here.askAll('list_workflow_executions')).map(({ executed_by, status, slices_completed }) => [
          executed_by,
          status,
          slices_completed,
        ]);
      await expect.poll(executions).toEqual(
        expect.arrayContaining([
          ['one', 'completed', 60],
          ['two', 'completed', 60],
        ]),
      );
      recorder.child.kill('SIGTERM');
      expect(await recorder.finished).toMatchObject({ code: 0 });
    });

    itsOwn('has a pending stop carried out by the next recorder if the first is killed', async () => {
      const here = site();
      const first = await here.recorder();
      await here.request({ stf_count: 4 }, 20, 'one');
      const executions = (): Promise<Answer[]> => here.askAll('list_workflow_executions');
      await expect.poll(async () => (await executions()).length).toBe(1);
      const asked = (): Promise<Answer[]> => here.askAll('list_messages', { message_type: 'stop_workflow' });
      const askWhileStill = async (): Promise<Started> => {
        first.child.kill('SIGSTOP');
        const stop = startCli(['stop', 'latest'], { folder: here.folder });
        let hasEnded = false;
        void stop.finished.then(() => (hasEnded = true));
        await expect.poll(async () => hasEnded || (await asked()).length > 0).toBe(true);
        if ((await asked()).length > 0) return stop;
        // It was suspended in the middle of a write, and nobody else could write.
        first.child.kill('SIGCONT');
        return askWhileStill();
      };
      const stop = await askWhileStill();
      for (const { child } of [stop, first]) child.kill('SIGKILL');
      await first.finished;
      await here.recorder();
      await expect.poll(async () => (await executions())[0]?.['status']).toBe('terminated');
      expect(await asked()).toMatchObject([{ effect: 'applied' }]);
    });

    it('starts one execution for a request without an id even when delivered twice, and another for a second request', async () => {
      const { port, dropped } = await startDroppingProxy(broker.port, /ACK[^\0]*subscription:control/);
      const here = site();
      const before = new Site(
        () => ({ ...broker, url: `stomp://127.0.0.1:${port}` }),
        quick,
        here.namespace,
        here.folder,
      );
      const first = await before.recorder();
      await here.request({ stf_count: 1 }, 20, 'one');
      await dropped;
      first.child.kill('SIGKILL');
      await first.finished;
      await here.recorder();
      for (const sender of ['one', 'last']) await here.request({ stf_count: 1 }, 20, sender);
      const requests = async (): Promise<unknown[]> =>
        (await here.askAll('list_messages', { message_type: 'run_workflow', effect: 'applied' })).map(
          ({ sender_agent }) => sender_agent,
        );
      // The broker hands out one request at a time, so with the last one all have been dealt with.
      await expect.poll(requests).toContain('last');
      expect(await requests()).toEqual(['last', 'one', 'one']);
      expect(await here.askAll('list_workflow_executions')).toHaveLength(3);
    });

    itsOwn('refuses a second recorder of the namespace while the first is running, and names the first', async () => {
      const here = site();
      const recorder = await here.recorder();
      const { code, stderr } = await here.run('--stf-count', '1').finished;
      expect({ code, stderr }).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(new RegExp(`^EXECUTION_IN_USE: process ${recorder.child.pid} on `, 'm')),
      });
    });

    it('keeps namespaces apart, and sends each of two stores of one namespace its own results', async () => {
      const one = site();
      const others = [one, site(), site(quick, one.namespace)];
      await Promise.all([one.agent('worker', 1, ...sets('data.write_files=true')), others[1]?.agent('worker', 2)]);
      const runs = others.map((each) =>
        each.run('--stf-count', '4', '--speed', '20', ...elsewhere('worker'), ...sets('data.write_files=false')),
      );
      for (const run of runs) await succeeded(run, { status: 'completed', slices_completed: 60, slices_failed: 0 });
      const agents = await Promise.all(
        others.slice(0, 2).map((each) => each.askAll('list_agents', { agent_type: 'worker' })),
      );
      expect(agents.map((each) => each.length)).toEqual([1, 1]);
    });

    itsOwn('pauses, continues and stops its remote workers', async () => {
      const here = site(sets('fast_processing.slice_processing_time=4', 'fast_processing.target_worker_count=4'));
      await here.agent('worker');
      const run = here.run(
        '--speed',
        '20',
        ...elsewhere('worker'),
        ...sets('fast_processing.physics_period_count=0', 'fast_processing.stf_count=1000'),
      );
      const done = async (): Promise<number> => (await here.monitor())['slices_completed'] as number;
      await expect.poll(done).toBeGreaterThan(4);
      expect(await here.control('pause')).toMatchObject({ code: 0 });
      await expect.poll(() => here.monitor()).toMatchObject({ health: 'paused', slices_processing: 0 });
      // Starts on their way may still arrive; four slots that continued would do twenty slices a second.
      const doneInASecond = async (): Promise<number> => {
        const before = await done();
        await delay(1000);
        return (await done()) - before;
      };
      await expect.poll(doneInASecond).toBe(0);
      const paused = await done();
      expect(await here.control('continue')).toMatchObject({ code: 0 });
      await expect.poll(done).toBeGreaterThan(paused);
      const stopped = await here.control('stop');
      expect(stopped, stopped.stderr).toMatchObject({ code: 0 });
      expect(await run.finished).toMatchObject({ code: 4 });
      const ended = await done();
      await delay(1000);
      expect(await here.monitor()).toMatchObject({ status: 'terminated', slices_completed: ended });
    });

    it('passes a slice that one worker cannot do to another, in the same attempt', async () => {
      const folder = temporaryFolder();
      const payload = join(folder, 'payload.sh');
      writeFileSync(payload, '#!/bin/sh\nexit 0\n', { mode: 0o755 });
      const here = site(sets('fast_processing.slices_per_sample=3'));
      // With one slot: a broker without selectors hands it slices that it has said it cannot do.
      const without = await here.agent('worker', 1, ...sets('fast_processing.target_worker_count=1'));
      const command = sets(`worker.payload=["${payload}"]`);
      const run = here.run('--stf-count', '1', '--speed', '20', ...command, ...elsewhere('worker'));
      await without.saw(/off duty for NO_PAYLOAD payload\.sh sha256:/);
      await expect.poll(() => here.findings()).toContain('NO_WORKER_FOR');
      await here.agent('worker', 2, ...command);
      await succeeded(run, { slices_completed: 3, slices_failed: 0 });
      const slices = await here.askAll('list_tf_slices', { execution_id: 'latest' });
      expect(slices.map(({ retries }) => retries)).toEqual([0, 0, 0]);
      const returned = await here.askAll('list_messages', { message_type: 'slice_returned' });
      expect(returned.length).toBeGreaterThan(0);
      for (const message of returned)
        expect(message).toMatchObject({ effect: 'applied', body: { reason: 'NO_PAYLOAD' } });
    });

    it('lets a worker rest that fails at once what another one completes, so that no slice fails permanently', async () => {
      const payload = join(temporaryFolder(), 'payload.sh');
      writeFileSync(payload, '#!/bin/sh\n[ -n "$BAD" ] && exit 1\nsleep 1\n', { mode: 0o755 });
      const here = site(sets('fast_processing.target_worker_count=8', `worker.payload=["${payload}"]`));
      await here.agent('worker', 1);
      const args = ['agent', 'worker', '--index', '2', ...sets(`data.dir=${here.dataFolder}`)];
      const bad = here.start(args, temporaryFolder(), { BAD: '1' });
      await bad.saw(/is running in namespace/);
      const run = here.run('--stf-count', '4', '--speed', '20', ...elsewhere('worker'));
      await expect.poll(() => here.findings()).toContain('WORKER_OFF_DUTY');
      const agents = await here.askAll('list_agents', { agent_type: 'worker' });
      expect(agents.flatMap(({ off_duty = [] }) => (off_duty as Answer[]).map(({ reason }) => reason))).toEqual([
        'FAILING',
      ]);
      await succeeded(run, { slices_completed: 60, slices_failed: 0 });
      // A rest is no sign that the broker has lost slices.
      expect((await run.finished).stderr).not.toMatch(/that no worker holds/);
    });

    itsOwn('completes although one worker lacks the recorder’s folder, which that worker reports', async () => {
      const here = site(sets('fast_processing.slices_per_sample=3', 'fast_processing.slice_processing_time=1'));
      const elsewhereFolder = temporaryFolder();
      const oneSlot = 'fast_processing.target_worker_count=1';
      const without = await here.agent('worker', 1, ...sets(`data.dir=${elsewhereFolder}`, oneSlot));
      const run = here.run('--stf-count', '1', '--speed', '20', ...elsewhere('worker'));
      await without.saw(/off duty for NO_FILE file:\/\/.*has no files from the recorder/);
      await here.agent('worker', 2);
      await succeeded(run, { slices_completed: 3, slices_failed: 0 });
    });

    it('resends the messages of a broker that lost its disk, and loses no data', async () => {
      const here = site(sets('fast_processing.slice_processing_time=4', 'fast_processing.target_worker_count=4'));
      await Promise.all([here.agent('data'), here.agent('fastmon'), here.agent('worker')]);
      const run = here.run('--stf-count', '8', '--speed', '20', ...allElsewhere);
      await run.saw(/start_run/);
      await delay(400);
      await broker.kill();
      broker.loseDisk();
      await broker.start();
      await succeeded(run, { status: 'completed', stf_count: 8, slices_completed: 120, slices_failed: 0 });
      expect(await outcome(here.folder)).toEqual(await inProcess(8, ...quick));
    });

    it('reports a refused message once, and continues behind it', async () => {
      const here = site(
        sets(
          'broker.destinations.slices=/queue/denied.slices',
          'fast_processing.slices_per_sample=1',
          'agents.worker.enabled=false',
        ),
      );
      const run = here.run('--stf-count', '1', '--speed', '20');
      await run.saw(/slice\/\S+ was not sent: BROKER_REFUSED/);
      await expect.poll(() => here.monitor()).toMatchObject({ phase: 'completed', slices_queued: 1 });
      const stopped = await here.control('stop');
      expect(stopped, stopped.stderr).toMatchObject({ code: 0 });
      const { stderr } = await run.finished;
      expect(stderr.match(/was not sent/g)).toHaveLength(1);
    });

    it('passes every proof of doctor --prove --unsubscribe', async () => {
      const here = site();
      const folder = temporaryFolder();
      const args = [
        'doctor',
        '--broker',
        broker.url,
        ...sets(`testbed.namespace=${here.namespace}`),
        '--wait',
        '1',
        '--prove',
        '--unsubscribe',
      ];
      const { code, stdout } = await runCli(args, { folder, env: broker.env });
      expect({ code, stdout }).toMatchObject({ code: 0 });
      for (const proof of ['selector', 'fair share', 'durable', 'expiry', 'telemetry', 'time limit'])
        expect(stdout).toMatch(new RegExp(`^ok    ${proof} `, 'm'));
      rmSync(folder, { recursive: true });
    });
  });
}
