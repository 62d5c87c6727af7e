import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { noteApplied } from '../../src/db/log/commands.ts';
import { codeOf } from '../codes.ts';
import {
  runCliProcess,
  type Answer,
  ask,
  connectInProcess,
  connectStdio,
  makeRunningStore,
  runCli,
  runWorkflow,
  shiftedClock,
  startCli,
  temporaryFolder,
} from '../helpers.ts';
import { askWithin, clientOf, evidenceOf, findingOf, inPhysics, monitorOf, storeOfSlices } from './asking.ts';

const set = (key: string, value: unknown): string[] => ['--set', `${key}=${JSON.stringify(value)}`];

/** Starts a run, kills it during physics, and returns its folder and a client. */
async function killed(...args: string[]) {
  const { folder, run, client } = await inPhysics(...args);
  await expect.poll(async () => (await monitorOf(client))['slices_processing']).toBeGreaterThan(0);
  run.child.kill('SIGKILL');
  await run.finished;
  return { folder, client };
}

const typesOf = (monitor: Answer): string[] => (monitor['events'] as Answer[]).map(({ type }) => type as string);

describe('an answer about what happened', () => {
  it('shows the fatal error of a driver in findings, drivers and log lines', async () => {
    const { folder, run, client } = await inPhysics('--stf-count', '200');
    renameSync(join(folder, 'swf.db.data'), join(folder, 'away'));
    writeFileSync(join(folder, 'swf.db.data'), '');
    expect((await run.finished).code).toBe(1);
    const monitor = await monitorOf(client);
    expect(monitor).toMatchObject({
      status: 'running',
      health: 'stalled',
      drivers: [{ ended: 'fault', reason: expect.stringMatching(/^DATA_UNAVAILABLE: /) }],
    });
    expect(findingOf(monitor, 'DRIVER_FAULT')?.['sentence']).toMatch(
      /^DATA_UNAVAILABLE: .* process \d+ on \S+, .* 20\S+Z/,
    );
    expect(findingOf(monitor, 'DRIVER_GONE')).toBeUndefined();
    const { items } = await evidenceOf(client, monitor, 'DRIVER_FAULT');
    expect(items.map(({ message }: Answer) => message)).toContainEqual(
      expect.stringMatching(/^the driver could not continue: DATA_UNAVAILABLE/),
    );
    const { items: agents } = await askWithin(client, 'list_agents', { execution_id: 'latest' });
    expect(new Set(agents.map(({ status }: Answer) => status))).toEqual(new Set(['ERROR']));
    rmSync(join(folder, 'swf.db.data'));
    renameSync(join(folder, 'away'), join(folder, 'swf.db.data'));
  });

  it('shows a kill, the time without a driver, and the user who resumed the run', async () => {
    const { folder, client } = await killed('--stf-count', '2', ...set('fast_processing.slice_processing_time', 5));
    const dead = await monitorOf(client);
    expect(dead).toMatchObject({
      status: 'running',
      health: 'stalled',
      drivers: [{ by: 'tester', ended: 'lost' }],
    });
    expect(dead['slices_to_redo']).toBeGreaterThan(0);
    expect(dead['slices_processing']).toBe(dead['slices_to_redo']);
    const { code } = await runCli(['resume', 'latest', '--speed', '50'], { folder, env: { SWF_USER: 'rita' } });
    expect(code).toBe(0);
    const monitor = await monitorOf(client);
    expect(monitor['drivers']).toMatchObject([
      { epoch: 1, by: 'tester', speed: '5', ended: 'lost', last_heard: expect.any(String) },
      { epoch: 2, by: 'rita', speed: '50', ended: 'finished' },
    ]);
    expect(typesOf(monitor)).toEqual(
      expect.arrayContaining(['driver_lost', 'driver_started', 'driver_ended', 'workflow_ended']),
    );
    expect(typesOf(monitor)[0]).toBe('workflow_ended');
    const lost = (monitor['events'] as Answer[]).find(({ type }) => type === 'driver_lost');
    expect(lost?.['note']).toMatch(
      /^driver 1 was lost: last heard from at 20\S+Z \((beat|message|log)\); resumed [\d.]+ s later$/,
    );
    // The killed agents did not exit cleanly.
    const { items } = await askWithin(client, 'list_agents', { execution_id: 'latest', agent_type: 'worker' });
    expect(items).toMatchObject([{ status: 'OK' }, { status: 'STALE', state: 'EXITED' }]);
  });

  it('ends the duration of a dead run at its newest heartbeat, message or log line', async () => {
    const { client, folder } = await killed();
    const [first, second] = [await monitorOf(client), await monitorOf(client)];
    expect(second['duration_seconds']).toBe(first['duration_seconds']);
    const { items } = await askWithin(client, 'list_messages', { execution_id: 'latest', limit: 1 });
    const { items: lines } = await askWithin(client, 'list_logs', { execution_id: 'latest', limit: 1 });
    const last = [items[0].sent_at, lines[0].timestamp].toSorted().at(-1) as string;
    expect(first['drivers'][0].last_heard >= last).toBe(true);
    const [row] = (await askWithin(client, 'list_workflow_executions', { status: 'running' }))['items'];
    expect(row).toMatchObject({ health: 'stalled', duration_seconds: first['duration_seconds'] });
    expect(findingOf(first, 'DRIVER_GONE')?.['sentence']).toContain(
      `last heard from at ${first['drivers'][0].last_heard}`,
    );
    const { stdout } = await runCli(['status'], { folder });
    const silent = String(first['drivers'][0].last_heard).slice(0, 19).replace('T', ' ');
    expect(stdout).toContain(`, silent since ${silent} UTC\n`);
  });

  it('marks the slices and agents of a dead run as gone', async () => {
    const { client } = await killed();
    const { items } = await askWithin(client, 'list_tf_slices', { execution_id: 'latest', status: 'processing' });
    expect(items.length).toBeGreaterThan(0);
    for (const item of items) expect(item).toMatchObject({ worker_gone: true });
    const { items: agents } = await askWithin(client, 'list_agents', { execution_id: 'latest' });
    expect(new Set(agents.map(({ state, status }: Answer) => `${state} ${status}`))).toEqual(new Set(['EXITED STALE']));
    expect((await monitorOf(client))['stages']).toEqual([]);
  });

  it('shows who paused a run and why, and who stopped it and why', async () => {
    const { folder, client } = await inPhysics('--stf-count', '50');
    expect(
      (await runCli(['pause', 'latest', '--reason', 'beam tuning', '--requested-by', 'Rita M.'], { folder })).code,
    ).toBe(0);
    const monitor = await monitorOf(client);
    expect(monitor).toMatchObject({
      health: 'paused',
      paused_by: {
        name: 'Rita M.',
        claimed_by: 'Rita M.',
        sent_by: 'tester',
        reason: 'beam tuning',
        time: expect.any(String),
      },
    });
    expect(findingOf(monitor, 'PAUSED')?.['sentence']).toMatch(
      /^Rita M\. \(as tester claims\) .* 20\S+Z \(beam tuning\)/,
    );
    expect((monitor['events'] as Answer[]).find(({ type }) => type === 'pause_workflow')).toMatchObject({
      by: 'Rita M. (as tester claims)',
      note: 'beam tuning',
    });
    expect((await runCli(['status'], { folder })).stdout).toMatch(
      /health paused by Rita M\. \(as tester claims\) at 20.+ UTC \(beam tuning\); continue with "swf-mcp continue/,
    );
    expect((await runCli(['stop', 'latest', '--reason', 'enough'], { folder })).code).toBe(0);
    expect(await monitorOf(client)).toMatchObject({
      status: 'terminated',
      stopped_by: { name: 'tester', reason: 'enough' },
      slices_processing: 0,
    });
  });

  it('shows a refused command as refused, with the reason', async () => {
    const folder = temporaryFolder();
    const run = startCli(
      ['run', '--speed', '20', '--stf-count', '1', ...set('fast_processing.slice_processing_time', 100)],
      { folder },
    );
    await run.saw(/end_run/);
    const client = await clientOf(folder);
    await expect
      .poll(async () => (await runCli(['pause', 'latest'], { folder })).stderr, { interval: 200 })
      .toMatch(/cannot be paused: the DAQ is done/);
    const [event] = ((await monitorOf(client))['events'] as Answer[]).filter(({ type }) => type === 'pause_workflow');
    expect(event).toMatchObject({ effect: 'none', note: expect.stringMatching(/^refused: the DAQ is done/) });
  });

  it('shows which client and person stopped a run over MCP after it was killed and resumed', async () => {
    const { folder } = await killed('--stf-count', '400');
    const client = await connectStdio({ folder }, '--allow-control');
    const resumed = await ask(client, 'control_workflow', {
      execution_id: 'latest',
      action: 'resume',
      requested_by: 'rita',
    });
    expect(resumed).toMatchObject({
      effect: 'applied',
      driver: { alive: true },
      sentence: expect.stringMatching(/^it continues, driven by process \d+, as requested by rita$/),
    });
    await ask(client, 'control_workflow', {
      execution_id: 'latest',
      action: 'stop',
      reason: 'beam dump',
      requested_by: 'rita',
    });
    expect(await monitorOf(client)).toMatchObject({
      stopped_by: { name: 'rita', claimed_by: 'rita', reason: 'beam dump' },
    });
    const [stop] = (await askWithin(client, 'list_messages', { message_type: 'stop_workflow' }))['items'];
    expect(stop).toMatchObject({ sender_agent: 'test', body: { claimed_by: 'rita', reason: 'beam dump' } });
  });
});

describe('an answer about a run', () => {
  it('shows its configuration with payload, limits and speed, but without the payload arguments', async () => {
    const folder = temporaryFolder();
    const command = ['/bin/sh', '-c', 'exit 0', '--token', 'hush', 'API_KEY=hush'];
    await runCli(
      [
        'run',
        '--speed',
        'max',
        '--stf-count',
        '2',
        ...set('worker.payload', command),
        ...set('worker.timeout_seconds', 77),
        ...set('fast_processing.stf_sampling_rate', 0.5),
      ],
      { folder },
    );
    const { configuration } = await monitorOf(await clientOf(folder));
    expect(configuration).toMatchObject({
      speed: 'max',
      stf_count: 2,
      stf_sampling_rate: 0.5,
      slices_per_sample: 15,
      target_worker_count: 30,
      payload: expect.stringMatching(/^sh sha256:[0-9a-f]{12}…$/),
      timeout_seconds: 77,
      max_retries: 3,
    });
  });

  it('compares payload, retries, time limit, namespace and configuration file with those of another run', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'mine.toml'), '[testbed]\nnamespace = "mine"\n[fast_processing]\nstf_count = 1\n');
    await runWorkflow(folder, '--stf-count', '1');
    await runCli(
      [
        'run',
        './mine.toml',
        '--speed',
        'max',
        ...set('worker.payload', ['/bin/true']),
        ...set('worker.max_retries', 1),
        ...set('worker.timeout_seconds', 60),
      ],
      { folder },
    );
    const { configuration, differences } = await askWithin(await clientOf(folder), 'compare_executions', {
      execution_id: 'latest',
      with_execution_id: 'stf_datataking-tester-0001',
    });
    const keys = configuration.map(({ key }: Answer) => key);
    expect(keys).toEqual(
      expect.arrayContaining([
        'config',
        'testbed.namespace',
        'worker.max_retries',
        'worker.payload',
        'worker.timeout_seconds',
      ]),
    );
    expect(configuration).toContainEqual({ key: 'worker.payload', a: 'true' });
    expect(differences).toContain('worker.max_retries is 1 in run a, 3 in run b');
    expect(differences).toContain('config is mine.toml in run a, not set in run b');
  });

  it('shows how many planned STF files a stopped run did not announce', async () => {
    const { folder, client } = await inPhysics('--stf-count', '50');
    await runCli(['stop', 'latest'], { folder });
    const audit = await askWithin(client, 'audit_execution', { execution_id: 'latest' });
    const planned = (audit['checks'] as Answer[]).find(({ check }) => check === 'stf_planned');
    expect(planned).toMatchObject({ state: 'open', expected: 50 });
    expect(planned?.['found']).toBeLessThan(50);
    expect(audit['summary']).toMatch(/\d+ of 50 planned STF files were not announced/);
  });

  it('shows whether the workers of an ended run kept up, and no arrival rate while a run drains', async () => {
    const folder = temporaryFolder();
    const run = startCli(
      ['run', '--speed', '20', '--stf-count', '3', ...set('fast_processing.target_worker_count', 5)],
      { folder },
    );
    await run.saw(/end_run/);
    const client = await clientOf(folder);
    const draining = await monitorOf(client);
    expect(draining).toMatchObject({
      status: 'running',
      health: 'draining',
      capacity: { workers: 5, backlog: expect.any(Number) },
    });
    expect(draining['capacity']).not.toHaveProperty('arrival_rate');
    expect((await runCli(['status'], { folder })).stdout).toContain('the DAQ is done');
    await run.finished;
    const { capacity } = await monitorOf(client);
    expect(capacity).toMatchObject({ workers: 5, keeps_up: false, drain_seconds: expect.any(Number) });
    expect(capacity.workers_needed).toBeGreaterThan(5);
    expect(capacity).not.toHaveProperty('backlog');
  });

  it('shows retries with their causes, even if no slice failed permanently', async () => {
    const folder = temporaryFolder();
    const flaky =
      'marker="$SWF_OUTPUT_DIR/../seen-$SWF_SLICE_ID"; if [ -e "$marker" ]; then exit 0; fi; touch "$marker"; echo "bad geometry in cell $SWF_SLICE_ID"; exit 3';
    const { code } = await runCli(
      ['run', '--speed', 'max', '--stf-count', '1', ...set('worker.payload', ['sh', '-c', flaky, 'recon'])],
      { folder },
    );
    const client = await clientOf(folder);
    const monitor = await monitorOf(client);
    expect({ code, retried: monitor['slices_retried'], failed: monitor['slices_failed'] }).toEqual({
      code: 0,
      retried: 15,
      failed: 0,
    });
    expect(findingOf(monitor, 'SLICES_RETRIED')?.['sentence']).toMatch(
      /^15 .* 15 .* 15 × sh ended with exit code 3: bad geometry in cell N\.$/,
    );
    expect(monitor['causes']).toEqual([
      {
        cause: 'sh ended with exit code 3: bad geometry in cell N',
        attempts: 15,
        example: expect.stringMatching(/^sh ended with exit code 3: bad geometry in cell \d+$/) as string,
      },
    ]);
    expect((await evidenceOf(client, monitor, 'SLICES_RETRIED'))['items']).toHaveLength(15);
    const [row] = (await askWithin(client, 'list_workflow_executions', {}))['items'];
    expect(row).toMatchObject({
      health: 'finished',
      retries: 15,
      bytes: 64_000,
      speed: 'max',
      duration_seconds: expect.any(Number),
    });
  });

  it('shows how long a queued slice has waited, and its place in the queue', async () => {
    const made = await storeOfSlices([{ queued: 600 }, { queued: 500 }, { queued: 400, started: 10 }]);
    const client = await connectInProcess(made.path);
    const waiting = await askWithin(client, 'trace_data_product', { filename: 'swf.100010.000001_slice_001.tf' });
    expect(waiting).toMatchObject({ status: 'queued', attempts: 0, queued_before: 1 });
    expect(waiting['waiting_seconds']).toBeGreaterThanOrEqual(499);
    expect(waiting['total_seconds']).toBeGreaterThanOrEqual(499);
    const begun = await askWithin(client, 'trace_data_product', { filename: 'swf.100010.000001_slice_002.tf' });
    expect(begun).toMatchObject({
      attempts: 1,
      worker: 'worker-agent-tester-9/03',
      waiting_seconds: expect.closeTo(390, 0),
    });
  });

  it('shows the outcome and the slot of each slice result', async () => {
    const folder = temporaryFolder();
    await runCli(
      [
        'run',
        '--speed',
        'max',
        '--stf-count',
        '1',
        ...set('worker.payload', ['sh', '-c', '[ $SWF_SLICE_ID != 3 ]']),
        ...set('worker.max_retries', 1),
      ],
      { folder },
    );
    const traced = await askWithin(await clientOf(folder), 'trace_data_product', {
      filename: 'swf.100010.000001_slice_003.tf',
    });
    expect(traced['attempts']).toBe(2);
    expect((traced['hops'] as Answer[]).filter(({ type }) => type === 'slice_result')).toMatchObject([
      {
        outcome: 'failed',
        attempt: 1,
        worker: expect.stringMatching(/\/\d\d$/),
        note: expect.stringMatching(/^PAYLOAD_FAILED/),
      },
      { outcome: 'failed', attempt: 2 },
    ]);
  });
});

describe('an answer about runs of three users, one with a clock an hour behind,', () => {
  it('keeps the order of recording, has no negative duration, and finds a run by its user', async () => {
    const folder = temporaryFolder();
    const run = (user: string, count: number, env: Record<string, string> = {}) =>
      runCliProcess(['run', '--speed', 'max', '--stf-count', String(count)], {
        folder,
        env: { SWF_USER: user, ...env },
      });
    await run('alice', 1);
    await run('rita', 2, { NODE_OPTIONS: shiftedClock(-3_600_000) });
    await run('tom', 3);
    const client = await clientOf(folder);
    const { items } = await askWithin(client, 'list_workflow_executions', {});
    expect(items.map(({ executed_by, stf_count, status }: Answer) => [executed_by, stf_count, status])).toEqual([
      ['tom', 3, 'completed'],
      ['rita', 2, 'completed'],
      ['alice', 1, 'completed'],
    ]);
    for (const { duration_seconds } of items) expect(duration_seconds).toBeGreaterThanOrEqual(0);
    expect((await monitorOf(client))['executed_by']).toBe('tom');
    const [own] = (await askWithin(client, 'list_workflow_executions', { executed_by: 'rita' }))['items'];
    expect(Date.now() - Date.parse(own.start_time)).toBeGreaterThan(3_500_000);
    const rita = await monitorOf(client, own.execution_id);
    expect(rita['drivers']).toMatchObject([{ by: 'rita', ended: 'finished' }]);
    for (const { p50 } of rita['latency']) expect(p50).toBeGreaterThanOrEqual(0);
    expect(
      (await askWithin(client, 'list_tf_slices', { execution_id: own.execution_id, order_by: 'seconds', limit: 1 }))[
        'items'
      ][0].seconds,
    ).toBeGreaterThanOrEqual(0);
    expect((await askWithin(client, 'list_workflow_executions', { start_time: '-30m' }))['items']).toHaveLength(2);
  });
});

describe('resuming', () => {
  it('is refused while the data folder of the execution is missing, and does not create it', async () => {
    const { folder, run } = await inPhysics('--stf-count', '100', ...set('worker.payload', ['sh', '-c', 'sleep 0.3']));
    const data = join(folder, 'swf.db.data', 'stf_datataking-tester-0001');
    await expect.poll(async () => (await monitorOf(await clientOf(folder)))['slices_completed']).toBeGreaterThan(0);
    renameSync(data, join(folder, 'away'));
    const { code, stderr } = await run.finished;
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/DATA_UNAVAILABLE/) });
    const early = await runCli(['resume', 'latest'], { folder });
    expect(early).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^DATA_UNAVAILABLE: .* stf_\S+/),
    });
    expect(existsSync(data)).toBe(false);
    expect(await monitorOf(await clientOf(folder))).toMatchObject({ status: 'running', slices_failed: 0 });
  });

  it('is refused if the payload cannot start, and uses up no attempt', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'recon.sh'), '#!/bin/sh\nsleep 0.5\n', { mode: 0o755 });
    const run = startCli(['run', '--speed', '5', '--stf-count', '50', ...set('worker.payload', ['./recon.sh'])], {
      folder,
    });
    await run.saw(/start_run/);
    run.child.kill('SIGKILL');
    await run.finished;
    rmSync(join(folder, 'recon.sh'));
    expect(await runCli(['resume', 'latest'], { folder })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^CONFIG_INVALID: worker\.payload: /),
    });
    expect(await monitorOf(await clientOf(folder))).toMatchObject({
      status: 'running',
      slices_failed: 0,
      slices_retried: 0,
    });
  });

  it('suggests "continue" if a paused run is alive, and shows who paused a killed run', async () => {
    const { folder, run } = await inPhysics('--stf-count', '100');
    await runCli(['pause', 'latest', '--reason', 'beam dump', '--requested-by', 'Dana'], { folder });
    expect(codeOf((await runCli(['resume', 'latest'], { folder })).stderr)).toBe('EXECUTION_IN_USE');
    run.child.kill('SIGKILL');
    await run.finished;
    expect((await runCli(['status'], { folder })).stdout).toMatch(
      /paused by {3}Dana \(as tester claims\) at .+ UTC \(beam dump\)/,
    );
    const resumed = startCli(
      ['resume', 'latest', '--speed', '50', '--requested-by', 'Zed', '--reason', 'host rebooted'],
      { folder },
    );
    await resumed.saw(/WARNING Dana had paused the execution at \S+ \S+ UTC \(beam dump\); it now continues/);
    await resumed.saw(/resume_run: physics/);
    const monitor = await monitorOf(await clientOf(folder));
    expect(monitor['drivers'].at(-1)).toMatchObject({ by: 'tester', claimed_by: 'Zed' });
    expect(
      (monitor['events'] as Answer[]).find(
        ({ type, note }) => type === 'driver_started' && String(note).includes('host rebooted'),
      ),
    ).toBeDefined();
    expect(findingOf(monitor, 'TAKEN_UP')?.['sentence']).toMatch(/ by tester at 20\S+, .*[\d.]+ s /);
  });
});

describe('messages from others over a broker', () => {
  it('do not make their sender a driver, and do not break any answer', async () => {
    const made = await makeRunningStore();
    const envelope = {
      sender: 'mallory',
      namespace: 'test',
      execution_id: 'stf_datataking-tester-0001',
      run_id: '100010',
    };
    const bodies = [
      { msg_type: 'driver_started', epoch: 77, pid: 1, hostname: 'evil', user: 'mallory', version: '9', speed: 0.001 },
      { msg_type: 'driver_ended', epoch: 1, cause: 'fault', code: 'EVIL', reason: 'because' },
      { msg_type: 'pause_workflow', command_id: 'c-1', reason: 'x', claimed_by: 5 },
      {
        msg_type: 'stf_ready',
        filename: 'swf.100010.000001.stf',
        sequence: 1,
        tf_count: 10,
        attempt: 'first',
        worker_id: 5,
      },
    ];
    await made.say('stf_gen', { filename: 'swf.100010.000001.stf', sequence: 1, tf_count: 10 });
    for (const body of bodies)
      await made.store.write((tx) =>
        made.receive(tx, '/topic/epictopic', JSON.stringify({ ...body, ...envelope }), { fromBroker: true }),
      );
    await made.store.write((tx) => noteApplied(tx, 'stf_datataking-tester-0001/pause_workflow/c-1'));
    const client = await connectInProcess(made.path);
    expect(await monitorOf(client)).toMatchObject({ drivers: [], configuration: { speed: '1' } });
    expect(await askWithin(client, 'trace_data_product', { filename: 'swf.100010.000001.stf' })).toMatchObject({
      kind: 'stf',
    });
    const { items } = await askWithin(client, 'list_messages', { message_type: 'driver_started' });
    expect(items).toMatchObject([
      {
        effect: 'none',
        effect_reason: expect.stringMatching(/^driver_started may be sent only by the process that drives/),
      },
    ]);
  });

  it('are grouped quickly even if their errors are very long', async () => {
    const made = await storeOfSlices(
      Array.from({ length: 8 }, () => ({ queued: 5 })),
      { worker: { max_retries: 0 } },
    );
    for (let id = 0; id < 8; id += 1) {
      const of = {
        slice_id: id,
        slice_filename: `swf.100010.000001_slice_00${id}.tf`,
        tf_filename: 'swf.100010.000001_tf_001.tf',
        attempt: 1,
      };
      const by = { worker_id: 'panda-node-3', hostname: 'h' };
      await made.say('slice_started', { ...of, ...by });
      await made.say('slice_result', { ...of, ...by, state: 'failed', error: 'a-'.repeat(25_000) });
    }
    const client = await connectInProcess(made.path);
    const began = performance.now();
    expect(await monitorOf(client)).toMatchObject({ causes: [{ attempts: 8 }] });
    expect(performance.now() - began).toBeLessThan(10_000);
    expect((await askWithin(client, 'list_tf_slices', { assigned_worker: 'panda-node-3' }))['total_count']).toBe(8);
  });
});
