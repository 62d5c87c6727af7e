import { describe, expect, it } from 'vitest';

import { faultyPayload } from '../../faults/payload.ts';
import { registerAgent } from '../../src/db/presence/agent-registry.ts';
import { registerProcess } from '../../src/db/presence/leases.ts';
import {
  runCliProcess,
  type Answer,
  connectInProcess,
  makeRunningStore,
  runCli,
  runWorkflow,
  startCli,
  temporaryFolder,
  type TestStore,
} from '../helpers.ts';
import { askWithin, clientOf, evidenceOf, inPhysics, slice, stf, tf } from './asking.ts';

/**
 * Questions that people really ask, each on a store prepared for it: the calls of a careful assistant that has only the
 * descriptions of the tools, and one answer that can be checked. Every answer must fit its budget.
 */
const minutesAgo = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();

/** An execution whose STF files, samples or slices have waited for some minutes; `upTo` is its last message. */
async function waitingSince(
  minutes: number,
  upTo: 'stf_gen' | 'stf_ready' | 'slice' | 'slice_started',
  params: Record<string, unknown> = {},
): Promise<TestStore> {
  const timestamp = minutesAgo(minutes);
  const made = await makeRunningStore({ broker: { url: 'stomp://127.0.0.1:1' }, ...params });
  made.store.db.exec(
    `UPDATE run_states SET phase_changed_at = '${timestamp}'; UPDATE workflow_executions SET start_time = '${timestamp}'`,
  );
  await made.say('stf_gen', { filename: stf(1), sequence: 1, tf_count: 100, timestamp });
  if (upTo === 'stf_gen') return made;
  await made.say('stf_ready', { filename: stf(1), sequence: 1, tf_count: 100, timestamp });
  if (upTo === 'stf_ready') return made;
  await made.say('tf_file_registered', {
    tf_filename: tf(1),
    stf_filename: stf(1),
    tf_first: 0,
    tf_last: 14,
    tf_count: 15,
    timestamp,
  });
  await made.say('slice', {
    slice_id: 0,
    slice_filename: slice(1),
    tf_filename: tf(1),
    stf_filename: stf(1),
    start: 0,
    end: 0,
    tf_count: 1,
    attempt: 1,
    timestamp,
  });
  if (upTo === 'slice') return made;
  await made.say('slice_started', {
    slice_id: 0,
    slice_filename: slice(1),
    tf_filename: tf(1),
    attempt: 1,
    worker_id: 'worker-agent-tester-9/01',
    hostname: 'host',
    timestamp,
    sender: 'worker-agent-tester-9',
  });
  return made;
}

describe('a careful assistant with these tools can tell', () => {
  it('1. what is running now, for whom, and in which namespace', async () => {
    const { client } = await inPhysics('--stf-count', '50', '--set', 'testbed.namespace=mine');
    const { items } = await askWithin(client, 'list_workflow_executions', { status: 'running' });
    expect(items).toMatchObject([
      {
        execution_id: 'stf_datataking-tester-0001',
        executed_by: 'tester',
        namespace: 'mine',
        phase: 'physics',
        run_number: 100_010,
      },
    ]);
  });

  it('2. when a run will be done, within the predicted range', async () => {
    const { client, run } = await inPhysics('--stf-count', '4', '--set', 'fast_processing.slice_processing_time=20');
    const monitor = await askWithin(client, 'get_workflow_monitor', { execution_id: 'latest' });
    const asked = performance.now();
    const { at_least, at_most, slices_planned } = monitor['progress'] as Record<string, number>;
    expect(slices_planned).toBe(60);
    await run.finished;
    const took = (performance.now() - asked) / 1000;
    expect(took).toBeGreaterThanOrEqual((at_least ?? NaN) - 0.5);
    expect(took).toBeLessThanOrEqual((at_most ?? NaN) + 0.5);
  });

  it('3. whether a run is stuck or just slow, if the data agent has done nothing for minutes', async () => {
    const client = await connectInProcess((await waitingSince(5, 'stf_gen')).path);
    const monitor = await askWithin(client, 'get_workflow_monitor', { execution_id: 'latest' });
    expect(monitor).toMatchObject({ health: 'stalled' });
    const stages = monitor['stages'] as Answer[];
    expect(stages.find((one) => one['stage'] === 'data')).toMatchObject({
      state: 'stuck',
      waiting: 1,
      idle_seconds: expect.closeTo(300, -1),
    });
    expect((monitor['findings'] as Answer[]).map((one) => [one['code'], one['sentence']])).toContainEqual([
      'AGENT_MISSING',
      expect.stringMatching(/\b1 .*\bdata\b.*\b5 min\b/),
    ]);
  });

  it('3. that nothing is wrong with a run in the physics phase', async () => {
    const { client } = await inPhysics();
    const monitor = await askWithin(client, 'get_workflow_monitor', { execution_id: 'latest' });
    expect(monitor['health']).toBe('progressing');
    expect((monitor['findings'] as Answer[]).filter((one) => one['severity'] !== 'info')).toEqual([]);
  });

  it('3. that waiting for a stalled run is pointless', async () => {
    const client = await connectInProcess((await waitingSince(5, 'stf_gen')).path);
    expect(await askWithin(client, 'wait_for_execution', { execution_id: 'latest' })).toMatchObject({
      changed: [],
      waited_seconds: expect.closeTo(0, 0),
      next: expect.stringMatching(/^it is stalled/),
    });
  });

  it('4. why slices failed, with the first cause and its evidence', async () => {
    const folder = temporaryFolder();
    await runCli(['run', '--speed', 'max', '--stf-count', '3', ...faultyPayload(3)], { folder });
    const client = await clientOf(folder);
    const monitor = await askWithin(client, 'get_workflow_monitor', { execution_id: 'latest' });
    const { items } = await evidenceOf(client, monitor, 'SLICES_FAILED');
    expect(items).toHaveLength(monitor['slices_failed']);
    expect(items[0]).toMatchObject({
      status: 'failed',
      retries: 2,
      error: expect.stringMatching(/^PAYLOAD_FAILED: sh (ended with exit code 3|was killed by SIGKILL)/),
    });
    expect(monitor['findings'][0].sentence).toContain(items[0].error.replace('PAYLOAD_FAILED: ', '').slice(0, 20));
  });

  it('5. why nothing starts: agents are missing', async () => {
    const client = await connectInProcess((await waitingSince(1, 'slice')).path);
    const monitor = await askWithin(client, 'get_workflow_monitor', { execution_id: 'latest' });
    const missing = (monitor['findings'] as Answer[]).find((one) => one['code'] === 'AGENT_MISSING');
    expect(missing?.['ids']).toEqual(['data', 'fastmon', 'worker']);
  });

  it('5. why a message changed nothing: it is from another namespace', async () => {
    const made = await waitingSince(1, 'slice');
    await made.say('slice_result', {
      slice_id: 0,
      slice_filename: slice(1),
      tf_filename: tf(1),
      attempt: 1,
      worker_id: 'w/01',
      hostname: 'h',
      state: 'done',
      namespace: 'theirs',
    });
    const client = await connectInProcess(made.path);
    const { items } = await askWithin(client, 'list_messages', { execution_id: 'latest', effect: 'none' });
    expect(items).toMatchObject([
      {
        message_type: 'slice_result',
        namespace: 'theirs',
        effect_reason: 'stf_datataking-tester-0001 is in namespace test',
      },
    ]);
  });

  it('6. whether all agents are alive, and when they were last heard', async () => {
    const { folder, client, run } = await inPhysics();
    expect(
      (await askWithin(client, 'list_agents', { execution_id: 'latest' }))['items'].map((one: Answer) => one['status']),
    ).toEqual(['OK', 'OK', 'OK', 'OK', 'OK']);
    run.child.kill('SIGKILL');
    await run.finished;
    const monitor = await askWithin(await clientOf(folder), 'get_workflow_monitor', { execution_id: 'latest' });
    const { items } = await evidenceOf(client, monitor, 'DRIVER_GONE');
    expect(items.map((one: Answer) => one['status'])).toEqual(['STALE', 'STALE', 'STALE', 'STALE', 'STALE']);
    expect(monitor['findings'][0].sentence).toContain(`last heard from at ${monitor['drivers'][0].last_heard}`);
  });

  it('7. which workers died, and which slices they had in hand', async () => {
    const made = await waitingSince(1, 'slice');
    const { db } = made.store;
    // A process that has ended.
    const name = await made.store.write((tx) => {
      const process_id = registerProcess(
        tx,
        {
          pid: 2 ** 22 - 7,
          pid_started: '1',
          hostname: (process.env['HOSTNAME'] ?? '') || 'gone',
        },
        '0.1.0',
      );
      db.prepare(`UPDATE processes SET last_beat = ? WHERE process_id = ?`).run(minutesAgo(3), process_id);
      return registerAgent(tx, {
        type: 'worker',
        user: 'tester',
        namespace: 'test',
        process_id,
        execution_id: 'stf_datataking-tester-0001',
      });
    });
    await made.say('slice_started', {
      slice_id: 0,
      slice_filename: slice(1),
      tf_filename: tf(1),
      attempt: 1,
      worker_id: `${name}/03`,
      hostname: 'gone',
      sender: name,
    });
    const client = await connectInProcess(made.path);
    const monitor = await askWithin(client, 'get_workflow_monitor', { execution_id: 'latest' });
    const lost = (monitor['findings'] as Answer[]).find((one) => one['code'] === 'AGENT_GONE');
    expect(lost?.['ids']).toEqual([name, slice(1)]);
  });

  it('8. whether there were retries, and whether they succeeded', async () => {
    const folder = temporaryFolder();
    await runCli(['run', '--speed', 'max', '--stf-count', '2', ...faultyPayload(3), '--set', 'worker.max_retries=9'], {
      folder,
    });
    const client = await clientOf(folder);
    const monitor = await askWithin(client, 'get_workflow_monitor', { execution_id: 'latest' });
    const { items } = await evidenceOf(client, monitor, 'SLICES_RETRIED');
    expect(monitor).toMatchObject({ slices_failed: 0, slices_completed: 30 });
    expect(items.length).toBeGreaterThan(3);
    const traced = await askWithin(client, 'trace_data_product', {
      filename: /swf\.\S+\.tf/.exec(items[0].message)?.[0],
    });
    expect(traced['attempts']).toBeGreaterThan(1);
  });

  it('9. whether the data is complete, with the ids of what is missing', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '3');
    const client = await clientOf(folder);
    expect(await askWithin(client, 'audit_execution', { execution_id: 'latest' })).toMatchObject({
      verdict: 'balanced',
      slices_failed: 0,
    });
    const run = startCli(['run', '--speed', '20', '--stf-count', '3'], { folder });
    await run.saw(/end_run/);
    run.child.kill('SIGTERM');
    await run.finished;
    const audit = await askWithin(client, 'audit_execution', { execution_id: 'latest' });
    expect(audit['verdict']).toBe('open');
    const results = (audit['checks'] as Answer[]).find((one) => one['check'] === 'results');
    expect(results?.['ids'][0]).toMatch(/^swf\.100011\.000001_slice_\d{3}\.tf$/);
  });

  it("10. which of an agent's log lines contain a word", async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '5');
    const { items } = await askWithin(await clientOf(folder), 'list_logs', {
      agent: 'fastmon-agent-tester-3',
      search: '000004',
    });
    expect(items).toMatchObject([
      { message: expect.stringMatching(/^sample swf\.100010\.000004_tf_001\.tf contains frames/) },
    ]);
  });

  it('11. what happened to one slice, hop by hop', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '2');
    const traced = await askWithin(await clientOf(folder), 'trace_data_product', {
      filename: 'swf.100010.000002_slice_007.tf',
    });
    expect((traced['hops'] as Answer[]).map((hop) => hop['type'])).toEqual([
      'stf_gen',
      'stf_ready',
      'tf_file_registered',
      'slice',
      'slice_started',
      'slice_result',
    ]);
    expect(traced).toMatchObject({
      kind: 'slice',
      status: 'completed',
      stf_filename: 'swf.100010.000002.stf',
      attempts: 1,
    });
  });

  it('12. which messages were refused, and which are waiting', async () => {
    const made = await waitingSince(1, 'slice');
    await made.store.write((tx) =>
      made.receive(
        tx,
        '/topic/epictopic',
        JSON.stringify({
          msg_type: 'stf_ready',
          execution_id: 'stf_datataking-tester-0001',
          sender: 's',
          namespace: 'test',
          sequence: 'two',
        }),
      ),
    );
    await made.say('stf_ready', { filename: stf(7), sequence: 7, tf_count: 100 });
    const client = await connectInProcess(made.path);
    const monitor = await askWithin(client, 'get_workflow_monitor', { execution_id: 'latest' });
    expect((await evidenceOf(client, monitor, 'MESSAGES_REFUSED'))['items']).toMatchObject([
      { effect: 'rejected', effect_reason: expect.stringContaining('sequence') },
    ]);
    expect((await evidenceOf(client, monitor, 'MESSAGES_WAITING'))['items'][0]).toMatchObject({
      effect_reason: `waits for ${stf(7)}`,
    });
  });

  it('13. where the time goes', async () => {
    const folder = temporaryFolder();
    await runCli(
      [
        'run',
        '--speed',
        '40',
        '--stf-count',
        '3',
        '--set',
        'fast_processing.target_worker_count=4',
        '--set',
        'fast_processing.slice_processing_time=20',
      ],
      { folder },
    );
    const { latency } = await askWithin(await clientOf(folder), 'get_workflow_monitor', { execution_id: 'latest' });
    const slowest = (latency as Answer[]).toSorted((a, b) => b['p95'] - a['p95'])[0];
    expect(slowest?.['stage']).toBe('slice → slice_started');
    // On a busy machine a sleep of half a second takes longer, and never less.
    const work = (latency as Answer[]).find((one) => one['stage'] === 'slice_started → slice_result');
    expect(work?.['p50']).toBeGreaterThan(0.45);
    expect(work?.['p50']).toBeLessThan(slowest?.['p95'] as number);
  });

  it('14. how many workers are needed to keep up with the DAQ', async () => {
    const { client } = await inPhysics();
    const { capacity } = await askWithin(client, 'get_workflow_monitor', { execution_id: 'latest' });
    // 15 slices every 2.1 s, of 30 s each.
    expect(capacity).toMatchObject({ workers: 30, workers_needed: 215 });
  });

  it('15. whether this run is slower than the last, and which settings changed', async () => {
    const folder = temporaryFolder();
    const run = (time: string) =>
      runCli(['run', '--speed', '40', '--stf-count', '2', '--set', `fast_processing.slice_processing_time=${time}`], {
        folder,
      });
    await run('4');
    await run('100');
    const compared = await askWithin(await clientOf(folder), 'compare_executions', {
      execution_id: 'latest',
      with_execution_id: 'stf_datataking-tester-0001',
    });
    expect(compared['configuration']).toEqual([{ key: 'fast_processing.slice_processing_time', a: '100', b: '4' }]);
    expect((compared['differences'] as string[]).join('\n')).toMatch(
      /slice_started → slice_result: 95 % took at most \S+ s in run a, \S+ times the \S+ s in run b/,
    );
  });

  it("16. how yesterday's run went", async () => {
    const folder = temporaryFolder();
    const yesterday = `--import data:text/javascript,${encodeURIComponent('const Real = Date; globalThis.Date = class extends Real { constructor(...a) { super(...(a.length ? a : [Real.now() - 86400000])); } static now() { return Real.now() - 86400000; } };')}`;
    expect(
      (await runCliProcess(['run', '--speed', 'max', '--stf-count', '2'], { folder, env: { NODE_OPTIONS: yesterday } }))
        .code,
    ).toBe(0);
    await runWorkflow(folder, '--stf-count', '1');
    const client = await clientOf(folder);
    const { items } = await askWithin(client, 'list_workflow_executions', { start_time: '-30h', end_time: '-12h' });
    expect(items).toMatchObject([
      { execution_id: 'stf_datataking-tester-0001', status: 'completed', slices_completed: 30 },
    ]);
    expect((await askWithin(client, 'list_logs', { end_time: '-12h' }))['total_count']).toBeGreaterThan(5);
  });

  it('19. whether the data behind an answer is old', async () => {
    const made = await waitingSince(5, 'stf_ready');
    made.store.db.exec(
      `UPDATE message_rows SET recorded_ms = ${Date.parse(minutesAgo(5))}; UPDATE system_agents SET last_heartbeat = '${minutesAgo(5)}'`,
    );
    const monitor = await askWithin(await connectInProcess(made.path), 'get_workflow_monitor', {
      execution_id: 'latest',
    });
    expect((monitor['findings'] as Answer[]).find((one) => one['code'] === 'DATA_OLD')?.['sentence']).toContain(
      '5 min',
    );
  });
});
