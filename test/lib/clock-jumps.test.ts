import { describe, expect, it } from 'vitest';

import { ask, connectInProcess, runCli, startCli, temporaryFolder } from '../helpers.ts';

/** Sets the wall clock of a process another time on again and again, as a badly set NTP does; the system's is not touched. */
const jumping = (hours: readonly number[], everyMilliseconds: number): string =>
  `--import data:text/javascript,${encodeURIComponent(
    `const Real = Date; const began = Real.now(); const hours = ${JSON.stringify(hours)};
     const shift = () => hours[Math.floor((Real.now() - began) / ${everyMilliseconds}) % hours.length] * 3600000;
     globalThis.Date = class extends Real { constructor(...a) { super(...(a.length ? a : [Real.now() + shift()])); } static now() { return Real.now() + shift(); } };`,
  )}`;

describe('a run whose wall clock jumps hours forward and back', () => {
  it('ends as any other: the workflow has a clock of its own, and no time in an answer is negative', async () => {
    const folder = temporaryFolder();
    const env = { NODE_OPTIONS: jumping([0, 5, -7, 24, -48], 150) };
    const settings = ['--stf-count', '5', '--set', 'fast_processing.slice_processing_time=4'];
    const run = startCli(['run', '--speed', '40', ...settings], { folder, env });
    expect(await run.finished).toMatchObject({ code: 0, stderr: '' });
    const client = await connectInProcess(`${folder}/swf.db`);
    const monitor = await ask(client, 'get_workflow_monitor', { execution_id: 'latest' });
    expect(monitor).toMatchObject({ status: 'completed', slices_completed: 75 });
    expect(monitor['duration_seconds']).toBeGreaterThanOrEqual(0);
    expect(await runCli(['check'], { folder })).toMatchObject({ code: 0 });
  });
});
