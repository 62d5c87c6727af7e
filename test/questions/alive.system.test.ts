import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import {
  type Answer,
  ask,
  askAll,
  connectInProcess,
  runCli,
  type Started,
  startCliForAll,
  temporaryFolder,
} from '../helpers.ts';
import { type Logged, logOf, standOfSlices, upTo } from './log-of.ts';

/** A run in progress: one payload process in seven fails, and all hang once a file exists. */
const folder = temporaryFolder();
const store = join(folder, 'swf.db');
const hang = join(folder, 'hang');
const payload = `[ ! -e ${hang} ] || sleep 600; [ $(($$ % 7)) -ne 0 ] || { echo bad luck >&2; exit 3; }; sleep 0.2`;
let run: Started;

const told = async (tool: string, args: Answer = {}): Promise<Answer> =>
  ask(await connectInProcess(store), tool, { execution_id: 'latest', ...args });
const monitor = (): Promise<Answer> => told('get_workflow_monitor');

/** The log as of an answer, whose moment is `TIME@MESSAGE_ID`. */
const logAt = (answer: Answer): Logged[] => {
  const moment = answer['as_of_exact'] as string;
  return upTo(logOf(store), moment.slice(moment.indexOf('@') + 1));
};

const having = (log: readonly Logged[], status: string): string[] =>
  [...standOfSlices(log)].filter(([, stand]) => stand === status).map(([slice]) => slice);

beforeAll(async () => {
  const sets = [
    `worker.payload=${JSON.stringify(['sh', '-c', payload])}`,
    'worker.max_retries=0',
    'fast_processing.target_worker_count=6',
    'fast_processing.physics_period_count=0',
  ];
  run = startCliForAll(['run', '--speed', '10', ...sets.flatMap((pair) => ['--set', pair])], { folder });
  await run.saw(/start_run/);
  await vi.waitUntil(() => having(logOf(store), 'completed').length > 40, { timeout: 120_000, interval: 100 });
}, 90_000);

afterAll(async () => {
  run.child.kill('SIGKILL');
  await run.finished;
});

describe('one call answers a question about a run in progress', () => {
  it('how far along is it?', async () => {
    const answer = await monitor();
    const log = logAt(answer);
    expect(answer).toMatchObject({
      status: 'running',
      slices_created: standOfSlices(log).size,
      slices_completed: having(log, 'completed').length,
      slices_failed: having(log, 'failed').length,
    });
  });

  it('which slices have failed so far?', async () => {
    const answer = await told('list_tf_slices', { status: 'failed', limit: 200, order: 'oldest' });
    const failed = answer['items'].map(({ slice_filename }: Answer) => slice_filename as string);
    expect(failed.length).toBeGreaterThan(0);
    // More may have failed since.
    expect(having(logOf(store), 'failed')).toEqual(expect.arrayContaining(failed));
  });

  it('why do slices fail?', async () => {
    const { groups } = await told('summarize', { what: 'slices', group_by: 'cause' });
    expect(groups).toHaveLength(1);
    expect(groups[0]?.['cause']).toMatch(/exit code 3: bad luck/);
  });

  it('which worker is processing which slice?', async () => {
    let inHand: Answer[] = [];
    const look = async (): Promise<number> => {
      inHand = (await told('list_tf_slices', { status: 'processing', limit: 50 }))['items'] as Answer[];
      return inHand.length;
    };
    // Between two periods nothing is in hand.
    await expect.poll(look).toBeGreaterThan(0);
    const began = logOf(store)
      .filter(({ message_type }) => message_type === 'slice_started')
      .map(({ body }) => `${body['slice_filename']} ${body['worker_id']}`);
    expect(began).toEqual(
      expect.arrayContaining(
        inHand.map(({ slice_filename, assigned_worker }) => `${slice_filename} ${assigned_worker}`),
      ),
    );
  });

  it('who paused it and why, and is anything still being processed?', async () => {
    expect((await runCli(['pause', 'latest', '--reason', 'beam studies'], { folder })).code).toBe(0);
    await expect.poll(async () => (await monitor())['slices_processing']).toBe(0);
    const answer = await monitor();
    const [paused] = logOf(store).filter(({ message_type }) => message_type === 'pause_workflow');
    expect(answer).toMatchObject({ health: 'paused' });
    expect(answer['paused_by']).toMatchObject({ reason: 'beam studies', name: paused?.sender_agent });
    expect(answer['progress']).not.toHaveProperty('seconds_left');
    expect((await runCli(['continue', 'latest'], { folder })).code).toBe(0);
    await expect.poll(async () => (await monitor())['health']).not.toBe('paused');
  });

  it('is it stuck?', async () => {
    expect((await monitor())['health']).not.toBe('stalled');
    writeFileSync(hang, '');
    await expect.poll(async () => (await monitor())['health'], { interval: 500 }).toBe('stalled');
    const answer = await monitor();
    const codes = answer['findings'].map(({ code }: Answer) => code as string);
    expect(codes).toContain('SLICE_OVERDUE');
    const overdue = answer['findings'].find(({ code }: Answer) => code === 'SLICE_OVERDUE');
    expect(having(logAt(answer), 'processing')).toEqual(expect.arrayContaining([overdue['ids'][0]]));
    expect(
      await askAll(await connectInProcess(store), 'list_tf_slices', { execution_id: 'latest', status: 'processing' }),
    ).toHaveLength(6);
  });
});
