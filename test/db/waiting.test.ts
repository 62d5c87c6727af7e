import { describe, expect, it } from 'vitest';

import {
  type Answer,
  ask,
  connectInProcess,
  makeRunningStore,
  sayShortExecutions,
  type TestStore,
} from '../helpers.ts';
import { secondsAgo, slice, stf, tf } from '../tools/asking.ts';

const stages = ['data', 'fastmon', 'fast_processing', 'worker'] as const;

/** A run in which an STF file arrives every four seconds and one stage hangs: nothing gets past it. */
async function storeWith(hanging: (typeof stages)[number]): Promise<TestStore> {
  const made = await makeRunningStore({
    broker: { url: 'stomp://127.0.0.1:1' },
    fast_processing: { slice_processing_time: 1 },
  });
  const start = secondsAgo(100);
  made.store.db.exec(
    `UPDATE run_states SET phase_changed_at = '${start}'; UPDATE workflow_executions SET start_time = '${start}'`,
  );
  const passes = (stage: (typeof stages)[number]): boolean => stages.indexOf(stage) < stages.indexOf(hanging);
  for (let sequence = 1; sequence <= 20; sequence += 1) {
    const timestamp = secondsAgo(84 - 4 * sequence);
    const frames = { tf_first: 0, tf_last: 0, tf_count: 1 };
    const of = { filename: stf(sequence), sequence, tf_count: 100, timestamp };
    await made.say('stf_gen', of);
    if (passes('data')) await made.say('stf_ready', of);
    if (passes('fastmon'))
      await made.say('tf_file_registered', {
        tf_filename: tf(sequence),
        stf_filename: stf(sequence),
        ...frames,
        timestamp,
      });
    if (passes('fast_processing'))
      await made.say('slice', {
        slice_id: 0,
        slice_filename: slice(sequence),
        tf_filename: tf(sequence),
        stf_filename: stf(sequence),
        start: 0,
        end: 0,
        tf_count: 1,
        attempt: 1,
        timestamp,
      });
  }
  return made;
}

describe('a stage that does nothing while its input grows', () => {
  it.each(stages)('has been stuck since its first input, and stalls its run: %s', async (stage) => {
    const { path } = await storeWith(stage);
    const answer = await ask(await connectInProcess(path), 'get_workflow_monitor', { execution_id: 'latest' });
    const told = (answer['stages'] as Answer[]).find((one) => one['stage'] === stage);
    expect(told).toMatchObject({ state: 'stuck' });
    expect(told?.['idle_seconds']).toBeGreaterThan(78);
    expect(answer['health']).toBe('stalled');
  });

  it('stalls its run even while a killed execution holds a slice', async () => {
    const made = await storeWith('worker');
    await sayShortExecutions(made, 1);
    // Its process was killed with a slice in hand.
    made.store.db.exec(`UPDATE workflow_executions SET status = 'running' WHERE execution_id LIKE '%0002';
      UPDATE run_states SET slices_processing = 1 WHERE execution_id LIKE '%0002'`);
    const client = await connectInProcess(made.path);
    const told = { execution_id: 'stf_datataking-tester-0001' };
    expect(await ask(client, 'get_workflow_monitor', told)).toMatchObject({ health: 'stalled' });
  });
});
