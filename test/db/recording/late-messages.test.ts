import { setTimeout as delay } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import type { Agent, ExecutionContext } from '../../../src/agents/agent.ts';
import { fastProcessingAgent } from '../../../src/agents/fast-processing.ts';
import { fastmonAgent } from '../../../src/agents/fastmon.ts';
import { consumeLog } from '../../../src/agents/log-consumer.ts';
import { openExecution } from '../../../src/db/driving/journal.ts';
import { executionParamsSchema } from '../../../src/domain/params.ts';
import { noDataFiles } from '../../../src/files/data-files.ts';
import { createScaledClock } from '../../../src/lib/clock.ts';
import { Lifetime } from '../../../src/lib/lifetime.ts';
import { createNotifier } from '../../../src/messages/notifier.ts';
import { ask, connectInProcess, makeRunningStore, type TestStore } from '../../helpers.ts';

const stf = 'swf.100010.000001.stf';
const tf = 'swf.100010.000001_tf_001.tf';
const slice = 'swf.100010.000001_slice_000.tf';
const execution_id = 'stf_datataking-tester-0001';

const generated = { filename: stf, sequence: 1, tf_count: 100 };
const sampled = { tf_filename: tf, stf_filename: stf, tf_first: 0, tf_last: 14, tf_count: 15 };
const sliced = (attempt: number) => ({ slice_id: 0, slice_filename: slice, tf_filename: tf, attempt });
const queued = (attempt: number) => ({ ...sliced(attempt), stf_filename: stf, start: 0, end: 0, tf_count: 1 });
const worked = (attempt: number) => ({ ...sliced(attempt), worker_id: 'worker/01', hostname: 'host' });
const failed = (attempt: number) => ({ ...worked(attempt), state: 'failed' as const, error: `reason ${attempt}` });

const sliceRow = ({ store }: TestStore): unknown =>
  store.db.prepare('SELECT status, attempt, assigned_worker, error FROM tf_slices').get();

describe('a message that comes before what it refers to', () => {
  it('waits, with a reason, until the other message arrives: a slice’s messages in reverse order', async () => {
    const made = await makeRunningStore();
    const early = [
      await made.say('slice_result', { ...worked(1), state: 'done' }),
      await made.say('slice_started', worked(1)),
      await made.say('slice', queued(1)),
      await made.say('tf_file_registered', sampled),
      await made.say('stf_ready', generated),
    ];
    expect(early.map(({ effect, effect_reason }) => [effect, effect_reason])).toEqual([
      ['none', `waits for attempt 1 of ${slice}`],
      ['none', `waits for attempt 1 of ${slice}`],
      ['none', `waits for ${tf}`],
      ['none', `waits for ${stf}`],
      ['none', `waits for ${stf}`],
    ]);
    expect(await made.say('stf_gen', generated)).toMatchObject({
      effect: 'applied',
      released: ['tf_file_registered', 'stf_ready', 'slice', 'slice_result'],
    });
    expect(sliceRow(made)).toMatchObject({ status: 'completed', attempt: 1, assigned_worker: 'worker/01' });
    const client = await connectInProcess(made.path);
    const { items } = await ask(client, 'list_messages', { execution_id, message_type: 'slice_started' });
    expect(items).toMatchObject([{ effect: 'none', effect_reason: 'start of a slice that is completed' }]);
  });

  it('about a later attempt waits for the failure of the previous one', async () => {
    const made = await makeRunningStore();
    await made.say('stf_gen', generated);
    await made.say('tf_file_registered', sampled);
    await made.say('slice', queued(1));
    expect(await made.say('slice_result', { ...worked(2), state: 'done' })).toMatchObject({ effect: 'none' });
    expect(await made.say('slice', queued(2))).toMatchObject({
      effect_reason: `waits for the failure of attempt 1 of ${slice}`,
    });
    expect(await made.say('slice_result', failed(1))).toMatchObject({
      effect: 'applied',
      released: ['slice', 'slice_result'],
    });
    expect(sliceRow(made)).toMatchObject({ status: 'completed', attempt: 2 });
  });

  it('never takes effect if the other message never arrives: STFs out of sequence, attempts beyond the last', async () => {
    const made = await makeRunningStore({ worker: { max_retries: 0 } });
    expect(await made.say('stf_gen', { ...generated, filename: 'swf.100010.000003.stf', sequence: 3 })).toMatchObject({
      effect: 'none',
      effect_reason: 'waits for swf.100010.000002.stf',
    });
    await made.say('stf_gen', generated);
    await made.say('tf_file_registered', sampled);
    await made.say('slice', queued(1));
    await made.say('slice_result', failed(1));
    const beyond = await made.say('slice', queued(2));
    expect(beyond).toMatchObject({ effect: 'none', effect_reason: 'attempt 2 of a slice that is failed in attempt 1' });
    await made.say('end_run', { total_stf_files: 1, reason: 'completed' });
    // The end of the run has fixed the number of STFs.
    expect(await made.say('stf_gen', { ...generated, filename: 'swf.100010.000002.stf', sequence: 2 })).toMatchObject({
      effect: 'none',
      effect_reason: 'the run has ended',
    });
    expect(made.store.db.prepare('SELECT stfs_announced FROM run_states').get()).toEqual({ stfs_announced: 1 });
  });

  it.each([
    ['before everything else', ['result', 'stf', 'sample']],
    ['just before the slice, which is cut in the same step', ['stf', 'sample', 'result']],
  ])(
    'is handled by an agent that has already read past it: a slice whose failure came %s is retried',
    async (_, order) => {
      const made = await makeRunningStore();
      const saying = {
        result: () => made.say('slice_result', failed(1)),
        stf: () => made.say('stf_gen', generated),
        sample: () => made.say('tf_file_registered', sampled),
      };
      for (const what of order) await saying[what as keyof typeof saying]();
      const reader = readerOf(made, fastProcessingAgent);
      await reader.read((said) => said.includes('is queued again'));
      expect(
        made.store.db.prepare('SELECT status, attempt FROM tf_slices WHERE slice_filename = ?').get(slice),
      ).toEqual({
        status: 'queued',
        attempt: 2,
      });
      expect(reader.lines.filter((line) => /queued \d/.test(line))).toHaveLength(1);
      expect(
        made.store.db.prepare(`SELECT count(*) AS n FROM workflow_messages WHERE message_type = 'slice'`).get(),
      ).toEqual({ n: 16 });
    },
  );

  it('is also handled by an idle agent, and only once', async () => {
    const made = await makeRunningStore();
    const reader = readerOf(made, fastmonAgent);
    const reading = reader.read((said) => said.includes('contains frames'));
    await reader.say('stf_ready', generated);
    await delay(20);
    expect(reader.lines).toEqual([]);
    await reader.say('stf_gen', generated);
    await reading;
    expect(reader.lines).toHaveLength(1);
    const again = readerOf(made, fastmonAgent);
    const stop = again.read(() => false);
    await delay(50);
    again.stop();
    await stop;
    expect(again.lines).toEqual([]);
  });
});

/** An agent that reads the log of a store until one of its log lines is enough, or it is stopped. */
function readerOf(made: TestStore, agent: Agent) {
  const clock = createScaledClock(1);
  const notifier = createNotifier(clock);
  const lifetime = new Lifetime();
  const lines: string[] = [];
  let isEnough: (line: string) => boolean = () => false;
  const { journal } = openExecution(
    made.store,
    { execution_id, run_number: 100_010, namespace: 'test' },
    {
      writeLogLine: (_, { message }) => void lines.push(message),
      isAlive: () => true,
      onCommitted(types) {
        notifier.announce(types);
        if (lines.some(isEnough)) lifetime.stop();
      },
    },
  );
  const seen = {
    execution_id,
    run_number: 100_010,
    params: executionParamsSchema.parse({}),
    files: noDataFiles,
    message: (id: string) => journal.message(id),
  };
  const execution: ExecutionContext = { agent: seen, journal, notifier, clock, lifetime };
  return {
    lines,
    read(enough: (line: string) => boolean) {
      isEnough = enough;
      return consumeLog(agent, `${agent.type}-1`, execution);
    },
    stop: () => lifetime.stop(),
    /** Like a message over the broker: recorded, then announced to the readers. */
    async say(...said: Parameters<TestStore['say']>) {
      const { released = [] } = await made.say(...said);
      notifier.announce([said[0], ...released]);
    },
  };
}
