import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { openReader } from '../../src/db/opening/open-reader.ts';
import { openStore } from '../../src/db/opening/open-store.ts';
import { ask, askAll, connectInProcess, runWorkflow, startCli, temporaryFolder, type Answer } from '../helpers.ts';
import { readHistory, replay } from '../histories/log-file.ts';
import { receiverOf } from '../receive.ts';

/** Every answer about executions, except logs, agents and recording times. */
async function everything(store: string): Promise<unknown> {
  const client = await connectInProcess(store);
  const executions = await askAll(client, 'list_workflow_executions');
  const monitors: Answer[] = [];
  for (const { execution_id } of executions) {
    const {
      agents: _,
      data_as_of: __,
      as_of_exact: _____,
      errors: ___,
      findings: ____,
      ...monitor
    } = await ask(client, 'get_workflow_monitor', { execution_id });
    monitors.push(monitor);
  }
  return {
    executions,
    monitors,
    messages: await askAll(client, 'list_messages', { order: 'oldest', limit: 200 }),
    files: await askAll(client, 'list_stf_files', { limit: 200 }),
    slices: await askAll(client, 'list_tf_slices', { limit: 200 }),
  };
}

function rowsOf(store: string): Record<string, unknown[]> {
  const db = openReader(store);
  const tables = [
    'workflow_executions',
    'runs',
    'run_states',
    'stf_files',
    'fastmon_files',
    'tf_slices',
    'slice_attempts',
    'stage_delays',
  ];
  const rows = Object.fromEntries(tables.map((table) => [table, db.prepare(`SELECT * FROM ${table}`).all()]));
  db.close();
  return rows;
}

describe('the whole log replayed into an empty store', () => {
  it('gives the same answers and rows for complete, sampled, paused, failed and stopped executions', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '3');
    await runWorkflow(
      folder,
      '--stf-count',
      '4',
      '--set',
      'fast_processing.stf_sampling_rate=0.25',
      '--set',
      'fast_processing.physics_period_count=3',
    );
    // An agent elsewhere gives up.
    const failing = startCli(['run', '--speed', '20'], { folder });
    await failing.saw(/start_run/);
    const voice = await openStore(join(folder, 'swf.db'));
    await voice.write((tx) =>
      voice.messages.record(tx, {
        msg_type: 'stop_workflow',
        command_id: 'c-1',
        state: 'failed',
        reason: 'fastmon failed 3 times',
        filename: 'swf.100012.000001.stf',
        sender: 'fastmon-agent-elsewhere-1',
        namespace: 'torre2',
        execution_id: 'stf_datataking-tester-0003',
        run_id: '100012',
        timestamp: new Date().toISOString(),
      }),
    );
    voice.close();
    expect(await failing.finished).toMatchObject({ code: 3 });

    // Interrupted: a command that its driver took up.
    const stopped = startCli(['run', '--speed', '20', '--stf-count', '3'], { folder });
    await stopped.saw(/start_run/);
    stopped.child.kill('SIGINT');
    expect(await stopped.finished).toMatchObject({ code: 130 });
    // A conflict, an unreadable and an unknown message.
    const store = await openStore(join(folder, 'swf.db'));
    const receive = receiverOf(store);
    const log = store.db
      .prepare<[], { payload: string }>(`SELECT payload FROM workflow_messages WHERE message_type = 'stf_gen' LIMIT 1`)
      .get();
    const conflict = JSON.stringify({ ...(JSON.parse(log?.payload ?? '{}') as object), tf_count: 7 });
    for (const body of [conflict, '{broken', '{"msg_type":"heartbeat"}'])
      await store.write((tx) => receive(tx, '/topic/epictopic', body));
    store.close();

    const again = join(temporaryFolder(), 'again.db');
    await replay(readHistory(join(folder, 'swf.db')), again);
    expect(rowsOf(again)).toEqual(rowsOf(join(folder, 'swf.db')));
    expect(await everything(again)).toEqual(await everything(join(folder, 'swf.db')));
  });
});
