import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { Progress } from '@modelcontextprotocol/sdk/types.js';
import { describe, expect, it, onTestFinished } from 'vitest';

import { codeOf, expectErrors } from '../codes.ts';
import {
  connectProcess,
  type Answer,
  ask,
  connectHttp,
  connectStdio,
  refusal,
  runCli,
  runWorkflow,
  startCli,
  startHttp,
  temporaryFolder,
} from '../helpers.ts';

/** Ends a run together with the test that started it. */
function endAfterTest({ pid }: Answer): void {
  onTestFinished(() => {
    try {
      process.kill(pid as number, 'SIGKILL');
    } catch {
      // It has ended.
    }
  });
}

const until = async (client: Client, execution_id: string, done: (answer: Answer) => boolean): Promise<Answer> => {
  for (;;) {
    const answer = await ask(client, 'wait_for_execution', { execution_id, until: 'phase', timeout_seconds: 20 });
    if (done(answer)) return answer;
    if (answer['status'] !== 'running') throw new Error(`it has ended before: ${JSON.stringify(answer)}`);
  }
};

describe('start_workflow', () => {
  it('starts a run that outlives its server, and that another server can pause, continue and stop', async () => {
    const folder = temporaryFolder();
    const first = await connectProcess({ folder }, '--allow-control');
    const started = await ask(first, 'start_workflow', { speed: '20', stf_count: 400, slice_processing_time: 5 });
    endAfterTest(started);
    expect(started).toMatchObject({
      execution_id: expect.stringMatching(/^stf_datataking-.*-0001$/),
      run_number: 100_010,
    });
    const { execution_id } = started as { execution_id: string };
    await first.close();

    const second = await connectHttp((await startHttp({ folder }, '--allow-control', '--insecure-local')).url);
    await until(second, execution_id, ({ phase }) => phase === 'physics');
    expect(await ask(second, 'control_workflow', { execution_id, action: 'pause' })).toMatchObject({
      effect: 'applied',
    });
    expect(await ask(second, 'get_workflow_monitor', { execution_id })).toMatchObject({
      phase: 'standby',
      health: 'paused',
      paused_by: { name: 'mcp', time: expect.any(String) },
    });
    expect(await ask(second, 'control_workflow', { execution_id, action: 'pause' })).toMatchObject({
      effect: 'applied',
      sentence: 'it is already paused',
    });
    expect(await ask(second, 'control_workflow', { execution_id, action: 'continue' })).toMatchObject({
      effect: 'applied',
    });
    const stop = { execution_id, action: 'stop', reason: 'shift is over' };
    const stopped = await ask(second, 'control_workflow', stop);
    expect(stopped).toEqual({
      execution_id,
      action: 'stop',
      effect: 'applied',
      sentence: 'it is stopped',
      driver: { pid: started['pid'], host: expect.any(String), alive: expect.any(Boolean) },
    });
    expect(await ask(second, 'get_workflow_monitor', { execution_id })).toMatchObject({
      status: 'terminated',
      status_reason: 'shift is over',
    });
    expect(await ask(second, 'control_workflow', { execution_id, action: 'stop' })).toMatchObject({
      effect: 'applied',
      sentence: 'it is already stopped',
    });
    expect(codeOf(await refusal(second, 'control_workflow', { execution_id, action: 'pause' }))).toBe(
      'EXECUTION_NOT_RUNNING',
    );
  });

  it('refuses arguments that a client may not set, and configurations that cannot be started', async () => {
    const folder = temporaryFolder();
    const client = await connectStdio({ folder }, '--allow-control');
    const errors: Record<string, string> = {};
    for (const args of [
      { config: '../evil' },
      { config: '--db=/tmp/x' },
      { config: 'nothing' },
      { namespace: 'x' },
      { payload: 'rm' },
      { speed: 'fast' },
      { tf_fraction: 2 },
      { stf_count: -1 },
    ])
      errors[JSON.stringify(args)] = await refusal(client, 'start_workflow', args);
    await expectErrors('start-workflow', errors);
  });

  it('is not offered without --allow-control, and neither is control_workflow', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '1');
    const notes = ['add_note', 'set_quality'];
    for (const { args, writing } of [
      { args: [], writing: notes },
      { args: ['serve', '--read-only'], writing: [] },
    ]) {
      const client = await connectStdio({ folder }, ...args);
      const { tools } = await client.listTools();
      const changing = tools.filter(({ annotations }) => annotations?.readOnlyHint !== true);
      expect(changing.map(({ name }) => name)).toEqual(writing);
      expect(codeOf(await refusal(client, 'start_workflow', {}))).toBe('TOOL_NOT_FOUND');
    }
    const open = await connectStdio({ folder }, 'serve', '--allow-control');
    const writing = (await open.listTools()).tools.filter(({ annotations }) => annotations?.readOnlyHint !== true);
    expect(
      writing.map(({ name, annotations }) => [name, annotations?.destructiveHint, annotations?.idempotentHint]),
    ).toEqual([
      ['add_note', false, false],
      ['set_quality', false, true],
      ['start_workflow', false, false],
      ['control_workflow', true, true],
    ]);
    expect(await runCli(['serve', '--read-only', '--allow-control'], { folder })).toMatchObject({ code: 2 });
  });
});

describe('control_workflow', () => {
  it('stops an execution whose process was killed, and reports a pending stop if it is suspended', async () => {
    const folder = temporaryFolder();
    const client = await connectStdio({ folder }, '--allow-control');
    const killed = startCli(['run', '--speed', '5'], { folder });
    await killed.saw(/execution /);
    killed.child.kill('SIGKILL');
    await killed.finished;
    expect(codeOf(await refusal(client, 'control_workflow', { execution_id: 'latest', action: 'pause' }))).toBe(
      'EXECUTION_NOT_RUNNING',
    );
    expect(
      await ask(client, 'control_workflow', { execution_id: 'latest', action: 'stop', reason: 'gone\u0000' }),
    ).toMatchObject({
      effect: 'applied',
    });
    expect(await ask(client, 'get_workflow_monitor', { execution_id: 'latest' })).toMatchObject({
      status: 'terminated',
      status_reason: String.raw`gone\u{0}`,
    });

    const suspended = startCli(['run', '--speed', '5'], { folder });
    await suspended.saw(/start_run/);
    suspended.child.kill('SIGSTOP');
    expect(await ask(client, 'control_workflow', { execution_id: 'latest', action: 'stop' })).toMatchObject({
      effect: 'pending',
      sentence: expect.stringContaining('stays recorded'),
    });
    const waiting = await ask(client, 'get_workflow_monitor', { execution_id: 'latest' });
    expect(waiting).toMatchObject({ status: 'running', stopped_by: { pending: true } });
    expect(waiting['findings']).toContainEqual(
      expect.objectContaining({
        code: 'STOP_PENDING',
        sentence: expect.stringMatching(/^\S+ .* 20\S+Z.* process \d+ on \S+ /) as string,
      }),
    );
    suspended.child.kill('SIGCONT');
    expect(await suspended.finished).toMatchObject({ code: 4 });
  });
});

describe('wait_for_execution', () => {
  it('reports progress while it waits, and returns when the execution ends', async () => {
    const folder = temporaryFolder();
    // A server that starts later might miss the run.
    const client = await connectStdio({ folder });
    const run = startCli(
      ['run', '--stf-count', '4', '--speed', '20', '--set', 'fast_processing.slice_processing_time=20'],
      { folder },
    );
    await run.saw(/execution /);
    const told: Progress[] = [];
    const result = await client.callTool(
      { name: 'wait_for_execution', arguments: { execution_id: 'latest', until: 'end', timeout_seconds: 40 } },
      undefined,
      { onprogress: (progress) => void told.push(progress) },
    );
    expect(result.structuredContent).toMatchObject({
      status: 'completed',
      changed: ['status'],
      health: 'finished',
      counts: { slices_completed: 60 },
    });
    expect(told.length).toBeGreaterThan(1);
    expect(told.at(-1)).toMatchObject({ total: 40, message: expect.stringMatching(/of 60 slices are final$/) });
    await run.finished;
  });

  it('returns immediately if the execution has ended, and otherwise when a count changes or its timeout passes', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '1');
    const client = await connectStdio({ folder });
    expect(await ask(client, 'wait_for_execution', { execution_id: 'latest' })).toMatchObject({
      changed: [],
      waited_seconds: expect.closeTo(0, 0),
      next: expect.stringContaining('it has ended'),
    });
    const run = startCli(['run', '--speed', '5'], { folder });
    await run.saw(/start_run/);
    const change = await ask(client, 'wait_for_execution', { execution_id: 'latest' });
    expect(change['changed']).toContain('stf_count');
    const late = await ask(client, 'wait_for_execution', { execution_id: 'latest', until: 'end', timeout_seconds: 1 });
    expect(late).toMatchObject({ changed: [], next: expect.stringMatching(/^call wait_for_execution again/) });
    expect(late['waited_seconds']).toBeGreaterThanOrEqual(1);
    expect(codeOf(await refusal(client, 'wait_for_execution', { execution_id: 'latest', timeout_seconds: 46 }))).toBe(
      'ARGUMENT_INVALID',
    );
  });
});
