import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { ask, connectInProcess, runCli, startCli, temporaryFolder } from '../helpers.ts';
import { recordedRuns } from '../observer/recordings.ts';
import { Player, readCalls } from './player.ts';

/** An observer that stands in for swf-monitor, in a folder of its own. */
async function standIn(...words: string[]) {
  const folder = temporaryFolder();
  const observer = startCli(['observe', '--api', '0', ...words], { folder, env: { SWF_MONITOR_TOKEN: 'secret' } });
  const root = (await observer.saw(/stands in for swf-monitor at (\S+)\//)).replace(/\/$/, '');
  const end = async (): Promise<void> => {
    observer.child.kill('SIGTERM');
    expect(await observer.finished).toMatchObject({ code: 0 });
  };
  return { folder, root, end, observer };
}

const monitorIn = async (folder: string) =>
  ask(await connectInProcess(join(folder, 'swf.db')), 'get_workflow_monitor', { execution_id: 'latest' });

describe('recorded calls to swf-monitor', () => {
  it.each(recordedRuns)(
    'of %s, each sent twice, are answered as they were, and nothing is there twice',
    async (run) => {
      const { folder, root, end } = await standIn();
      const player = new Player(root, 2);
      await player.play(await readCalls(run));
      expect(player.differences.slice(0, 20)).toEqual([]);
      // What was said on the bus meanwhile.
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
      const slowest = player.took.toSorted((a, b) => b - a);
      expect(slowest[Math.floor(slowest.length / 100)]).toBeLessThan(0.5);
    },
  );
});
