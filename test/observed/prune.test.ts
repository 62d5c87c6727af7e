import { expect, it } from 'vitest';

import { removableExecutions } from '../../src/db/maintenance/prune.ts';
import { makeRun } from './generator.ts';
import { storeOf } from './stores.ts';

/** A run of other programs that has not ended, and begins at a time. */
const running = (start: number) => {
  for (let seed = 1; ; seed += 1) {
    const run = makeRun({ seed, start });
    if (!run.truth.hasEnded) return run.lines;
  }
};

it('an observed execution that may still be running is never pruned, even with --keep 0', async () => {
  const rule = { observed: true, keep: 0, endedBefore: undefined };
  const idsOf = async (start: number): Promise<number> => {
    const store = await storeOf(running(start));
    const removable = removableExecutions(store.sql, rule, () => false);
    store.close();
    return removable.length;
  };
  expect(await idsOf(Date.now() - 60_000)).toBe(0);
  expect(await idsOf(Date.now() - 30 * 24 * 3_600_000)).toBe(1);
});
