import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { codeOf } from '../codes.ts';
import {
  ask,
  askAll,
  connectProcess,
  refusal,
  runWorkflow,
  shiftedClock,
  startCli,
  temporaryFolder,
} from '../helpers.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '0' } },
};

describe('the server on stdio', () => {
  it.each([0, 2])('answers five basic questions correctly and completely, even %i weeks later', async (weeks) => {
    const folder = temporaryFolder();
    const { execution_id } = await runWorkflow(folder, '--stf-count', '3');
    const client = await connectProcess({
      folder,
      env: weeks === 0 ? {} : { NODE_OPTIONS: shiftedClock(weeks * 7 * 86_400_000) },
    });

    expect(await ask(client, 'get_workflow_monitor', { execution_id })).toMatchObject({
      status: 'completed',
      phase: 'completed',
      run_id: '100010',
      stf_count: 3,
      tf_files_received: 3,
      slices_created: 45,
      slices_queued: 0,
      slices_completed: 45,
    });
    expect(await askAll(client, 'list_messages', { execution_id })).toHaveLength(151);
    expect((await ask(client, 'list_stf_files', { run_number: 100_010 }))['items']).toHaveLength(3);
    expect(await ask(client, 'list_tf_slices', { run_number: 100_010 })).toMatchObject({ total_count: 45 });
    expect(await askAll(client, 'list_tf_slices', { run_number: 100_010 })).toHaveLength(45);
    const logs = await askAll(client, 'list_logs', { execution_id });
    expect(new Set(logs.map(({ agent }) => agent.replace(/-agent.*/, '')))).toEqual(
      new Set(['daq_simulator', 'data', 'fastmon', 'fast_processing']),
    );
  });

  it('answers invalid JSON-RPC lines with errors, and does not flood stderr', async () => {
    const started = startCli([], { folder: temporaryFolder() });
    const lines = ['no json', '{"a":1}', '{"jsonrpc":"2.0","id":1.5,"method":"ping"}'];
    for (const line of lines) started.child.stdin?.write(`${line}\n`);
    for (let stray = 0; stray < 500; stray += 1)
      started.child.stdin?.write(
        '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":7,"progress":1}}\n',
      );
    started.child.stdin?.write(`${JSON.stringify(initialize)}\n`);
    await started.saw(/"protocolVersion"/);
    started.child.stdin?.end();
    const { stdout, stderr } = await started.finished;
    const codes = stdout
      .split('\n')
      .filter((line) => line.includes('"error"'))
      .map((line) => (JSON.parse(line) as { id: unknown; error: { code: number } }).error.code);
    expect(codes.slice(0, 2)).toEqual([-32_700, -32_600]);
    expect(stderr.split('\n').length).toBeLessThan(20);
  });

  it('waits without a warning for a client that does not read its answers', async () => {
    const started = startCli([], { folder: temporaryFolder() });
    started.child.stdout?.pause();
    const send = (message: unknown): void => void started.child.stdin?.write(`${JSON.stringify(message)}\n`);
    send(initialize);
    for (let id = 2; id < 100; id += 1) send({ jsonrpc: '2.0', id, method: 'tools/list' });
    send({ jsonrpc: '2.0', id: 100, method: 'tools/call' });
    await delay(1000);
    started.child.stdout?.resume();
    await started.saw(/"id":100/);
    started.child.stdin?.end();
    const { stdout, stderr } = await started.finished;
    expect(stdout.trimEnd().split('\n')).toHaveLength(100);
    expect(stderr).not.toMatch(/MaxListeners|Warning:/);
  });

  it('writes only JSON-RPC to stdout, names its store first on stderr, and exits with its client', async () => {
    const folder = temporaryFolder();
    const started = startCli([], { folder });
    const send = (message: unknown): void => void started.child.stdin?.write(`${JSON.stringify(message)}\n`);
    send(initialize);
    send({ jsonrpc: '2.0', method: 'notifications/initialized' });
    send({ jsonrpc: '2.0', id: 2, method: 'tools/list' });
    send({ jsonrpc: '2.0', id: 3, method: 'tools/call', params: { name: 'list_messages', arguments: { limit: 'x' } } });
    send({ jsonrpc: '2.0', id: 4, method: 'no/such/method' });
    started.child.stdin?.write('this is no JSON\n');
    started.child.stdin?.write(`"${'x'.repeat(11_000_000)}"\n`);
    send({ jsonrpc: '2.0', id: 5, method: 'tools/call', params: { name: 'get_workflow_monitor' } });
    await started.saw(/"id":5/);
    started.child.stdin?.end();
    const { code, signal, stdout, stderr } = await started.finished;
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.every((line) => line['jsonrpc'] === '2.0')).toBe(true);
    // The answers to invalid JSON and to a line that is too long have no id.
    expect(lines.map((line) => line['id'] ?? 0).toSorted()).toEqual([0, 0, 1, 2, 3, 4, 5]);
    expect(lines).toContainEqual(
      expect.objectContaining({
        error: { code: -32_600, message: 'the line is longer than 10 MB and was skipped; send less in one call' },
      }),
    );
    expect(stderr.split('\n')[0]).toBe(`swf-mcp ${version}: MCP server on stdio, store ${join(folder, 'swf.db')}`);
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('exits cleanly on %s', async (signal) => {
    const started = startCli(['serve'], { folder: temporaryFolder() });
    await started.saw(/MCP server on stdio/);
    started.child.stdin?.write(`${JSON.stringify(initialize)}\n`);
    await started.saw(/"id":1/);
    started.child.kill(signal);
    expect(await started.finished).toMatchObject({ code: 0, signal: null });
  });

  it('answers from the new store after the store was removed and recreated', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '1');
    const client = await connectProcess({ folder });
    expect(await ask(client, 'list_workflow_executions')).toMatchObject({ total_count: 1 });
    for (const name of ['swf.db', 'swf.db-wal', 'swf.db-shm', 'swf.db.data'])
      rmSync(join(folder, name), { recursive: true, force: true });
    expect(codeOf(await refusal(client, 'list_workflow_executions', {}))).toBe('STORE_UNAVAILABLE');
    await runWorkflow(folder, '--stf-count', '1', '--set', 'workflow.name=fresh');
    const { items } = await ask(client, 'list_workflow_executions');
    expect(items.map(({ execution_id }: { execution_id: string }) => execution_id)).toEqual(['fresh-tester-0001']);
  });

  it('starts without a store, says how to create one, and finds it when it appears', async () => {
    const folder = temporaryFolder();
    const client = await connectProcess({ folder });
    expect(codeOf(await refusal(client, 'list_workflow_executions', {}))).toBe('STORE_UNAVAILABLE');
    await runWorkflow(folder, '--stf-count', '1');
    expect(await ask(client, 'list_workflow_executions')).toMatchObject({ total_count: 1 });
  });
});
