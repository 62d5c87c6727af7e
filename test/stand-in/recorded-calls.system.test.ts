import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { recordHeard } from '../../src/db/observed/heard-messages.ts';
import { createQueries } from '../../src/db/queries.ts';
import type { MessageLine } from '../../src/observed/recording-lines.ts';
import { ask, connectInProcess, runCli, startCli, temporaryFolder } from '../helpers.ts';
import { makeRun } from '../observed/generator.ts';
import { makeCalls } from '../observed/rest-generator.ts';
import { someRecordedRuns } from '../observer/recordings.ts';
import { rounds } from '../rounds.ts';
import { Player, readCalls } from './player.ts';
import { standIn } from './stand-in-process.ts';

/** An observer that stands in for swf-monitor, in its own folder. */
async function observer(...words: string[]) {
  const folder = temporaryFolder();
  const started = startCli(['observe', '--api', '0', ...words], { folder, env: { SWF_MONITOR_TOKEN: 'secret' } });
  const root = (await started.saw(/stands in for swf-monitor at (\S+)\//)).replace(/\/$/, '');
  const end = async (): Promise<void> => {
    started.child.kill('SIGTERM');
    expect(await started.finished).toMatchObject({ code: 0 });
  };
  return { folder, root, end };
}

const monitorIn = async (folder: string) =>
  ask(await connectInProcess(join(folder, 'swf.db')), 'get_workflow_monitor', { execution_id: 'latest' });

describe('recorded calls to swf-monitor', () => {
  it.each(someRecordedRuns)('from %s, each sent twice, get the recorded answers, and are counted once', async (run) => {
    const { folder, root, end } = await observer();
    const player = new Player(root, 2);
    await player.play(await readCalls(run));
    expect(player.differences.slice(0, 20)).toEqual([]);
    // The messages on the bus meanwhile.
    const bus = join(process.cwd(), 'test/recordings', run, 'bus.jsonl.gz');
    expect((await runCli(['observe', '--from', bus], { folder })).code).toBe(0);
    await end();
    const alone = temporaryFolder();
    await runCli(['observe', '--from', bus], { folder: alone });
    const [told, heard] = [await monitorIn(folder), await monitorIn(alone)];
    for (const count of [
      'stf_count',
      'tf_files_received',
      'slices_sent',
      'slices_completed',
      'slices_failed',
      'results_repeated',
      'results_unmatched',
      'without_execution',
    ])
      expect([count, told[count]]).toEqual([count, heard[count]]);
    expect(told).toMatchObject({
      status: 'completed',
      slices_created: heard['slices_sent'],
      told: { status: 'completed' },
    });
  });
});

describe('calls from generated runs', () => {
  it.each(Array.from({ length: rounds(12) }, (_, at) => at + 900))(
    'lead to the correct counts if each is sent twice and the messages are also on the bus: run %i',
    async (seed) => {
      const made = makeRun({ seed });
      const { calls, truth } = makeCalls(made, seed);
      const here = await standIn('secret');
      const player = new Player(here.root, 2);
      const half = Math.floor(calls.length / 2);
      const hear = (lines: readonly MessageLine[]): Promise<void> =>
        here.store.write((tx) => {
          for (const line of lines) recordHeard(tx, line);
        });
      await player.play(calls.slice(0, half));
      await hear(made.lines.slice(0, made.lines.length / 3));
      await player.play(calls.slice(half));
      await hear(made.lines.slice(made.lines.length / 3));
      expect(player.differences).toEqual([]);
      const queries = createQueries(here.store.db, () => undefined);
      const row = queries.execution(made.truth.told_id);
      const record = queries.assess(row, Date.now()).heard;
      expect({ ...row, ...record }).toMatchObject({
        // Nobody listens.
        status: truth.status === 'running' ? 'unknown' : truth.status,
        slices_created: made.truth.slices_sent,
        slices_completed: made.truth.slices_completed,
        slices_failed: made.truth.slices_failed,
        results_repeated: made.truth.results_repeated,
        results_unmatched: made.truth.results_unmatched,
        slices_told: truth.slices_told,
        slices_unsent: truth.slices_unsent,
        slices_unheard: 0,
      });
      const answered = here.heard.filter(({ status = 0 }) => status >= 300);
      expect(answered).toEqual([]);
      here.close();
    },
  );
});
