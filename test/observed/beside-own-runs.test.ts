import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { openStore } from '../../src/db/opening/open-store.ts';
import type { MessageLine } from '../../src/observed/recording-lines.ts';
import { openStoreWriter } from '../../src/observer/store-writer.ts';
import { codeOf } from '../codes.ts';
import { type Answer, ask, connectInProcess, runCli, runWorkflow, temporaryFolder } from '../helpers.ts';
import { makeRun } from './generator.ts';

/** A store that has read lines. */
async function folderWith(lines: readonly object[], folder = temporaryFolder()): Promise<string> {
  writeFileSync(join(folder, 'made.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const { code, stderr } = await runCli(['observe', '--from', 'made.jsonl'], { folder });
  expect(code, stderr).toBe(0);
  return folder;
}

const statusOf = async (folder: string, id: string): Promise<Answer> =>
  JSON.parse((await runCli(['status', id, '--json'], { folder })).stdout) as Answer;

/** A message as foreign programs send it. */
const said = (body: Record<string, unknown>, at = 0): object => ({
  t: new Date(1_795_770_000_000 + at * 1000).toISOString(),
  destination: '/topic/epictopic',
  headers: {},
  body: { namespace: 'epic', run_id: '1', ...body },
});

describe('in a store with an observed run', () => {
  it('our own run skips an id that another program has used', async () => {
    const folder = await folderWith([said({ msg_type: 'run_imminent', execution_id: 'stf_datataking-tester-0001' })]);
    const { execution_id } = await runWorkflow(folder, '--stf-count', '1');
    expect(execution_id).toBe('stf_datataking-tester-0002');
    expect(await statusOf(folder, 'stf_datataking-tester-0001')).toMatchObject({ origin: 'observed' });
  });

  it('our own run with the same names keeps its own rows', async () => {
    const folder = temporaryFolder();
    const own = await runWorkflow(folder, '--stf-count', '1');
    await folderWith(makeRun({ seed: 3, run: own['run_number'] as number, stfs: 1 }).lines, folder);
    const client = await connectInProcess(join(folder, 'swf.db'));
    const mine = await ask(client, 'list_tf_slices', { run_number: own['run_number'] });
    expect(mine['total_count']).toBe(own['slices_created']);
    expect(await statusOf(folder, own['execution_id'] as string)).toMatchObject({
      slices_created: own['slices_created'],
    });
  });

  it('no clock is reported as wrong if the older run was recorded last', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '1');
    await folderWith([said({ msg_type: 'run_imminent', execution_id: 'older' }, -86_400)], folder);
    const client = await connectInProcess(join(folder, 'swf.db'));
    const list = await ask(client, 'list_workflow_executions', { start_time: '2026-01-01T00:00:00Z' });
    expect(list).toMatchObject({ total_count: 2 });
    expect(list).not.toHaveProperty('note');
  });

  it('stop, pause, continue and resume are refused, and write nothing', async () => {
    const folder = await folderWith([said({ msg_type: 'run_imminent', execution_id: 'theirs' })]);
    for (const command of ['stop', 'pause', 'continue', 'resume']) {
      const { code, stderr } = await runCli([command, 'theirs'], { folder });
      expect(code).not.toBe(0);
      expect(codeOf(stderr)).toBe('ARGUMENT_INVALID');
    }
    expect(await statusOf(folder, 'theirs')).toMatchObject({ message_count: 1 });
  });
});

describe('an observer of a store', () => {
  it('records a gap in place of a message that cannot be recorded, and continues with the next', async () => {
    const store = await openStore(join(temporaryFolder(), 'swf.db'));
    const told: string[] = [];
    const writer = await openStoreWriter({ store, namespaces: [], version: '0', say: (line) => told.push(line) });
    const line = said({ msg_type: 'run_imminent', execution_id: 'e' }) as MessageLine;
    writer.lines.add({ ...line, headers: undefined } as unknown as MessageLine, line.t);
    writer.lines.add(line, line.t);
    await writer.close();
    expect(told).toEqual([]);
    expect(store.db.prepare('SELECT seq FROM message_rows').all()).toHaveLength(1);
    expect(store.db.prepare('SELECT reason FROM gaps').all()).toEqual([
      { reason: expect.stringContaining('a message could not be recorded') as string },
    ]);
    store.close();
  });

  it('counts slices as unanswered if they arrive after their run has completed', async () => {
    const { lines, truth } = makeRun({ seed: 2, dialect: 'H', stfs: 2 });
    const isWork = (line: MessageLine): boolean => line.destination !== '/topic/epictopic';
    const before = lines.filter((line) => !isWork(line));
    const folder = await folderWith([
      ...before,
      said({ msg_type: 'end_run', run_id: truth.run_id, execution_id: truth.told_id }, 60),
    ]);
    expect(await statusOf(folder, truth.told_id)).toMatchObject({ status: 'completed' });
    await folderWith(
      lines.filter((line) => line.destination === '/topic/panda.slices'),
      folder,
    );
    expect(await statusOf(folder, truth.told_id)).toMatchObject({
      status: 'completed',
      slices_unanswered: truth.slices_sent,
    });
  });

  it('leaves the samples check open if an announced TF file was not sliced', async () => {
    const { lines, truth } = makeRun({ seed: 4, dialect: 'H', stfs: 2 });
    const first = lines.find((line) => line.destination === '/topic/panda.slices') as MessageLine & { body: Answer };
    const tf = (first.body['content'].tf_filename as string).replace(/_slice_\d+/, '');
    const without = lines.filter(
      (line) => line.destination === '/topic/epictopic' || !JSON.stringify(line).includes(tf.slice(0, -3)),
    );
    const later = said({ msg_type: 'end_run', run_id: truth.run_id, execution_id: truth.told_id }, 600);
    const folder = await folderWith([...without, later]);
    const client = await connectInProcess(join(folder, 'swf.db'));
    const audit = await ask(client, 'audit_execution', { execution_id: truth.told_id });
    expect(audit['checks'].find(({ check }: Answer) => check === 'samples')).toMatchObject({
      state: 'open',
      ids: [tf],
    });
  });
});
