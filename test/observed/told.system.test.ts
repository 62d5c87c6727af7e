import { describe, expect, it } from 'vitest';

import { replayDifferences } from '../../src/db/maintenance/replay.ts';
import type { Store } from '../../src/db/opening/store.ts';
import { createQueries } from '../../src/db/queries.ts';
import { readRecording, someRecordedRuns } from '../observer/recordings.ts';
import { emptyStore, storeOf, tablesAfter } from './stores.ts';
import { factsOf, interleaved, toldIn } from './told-setup.ts';

describe('the REST calls to the monitor', () => {
  it.each(someRecordedRuns)(
    'of the recorded run %s lead to the same tables in any order, and add no slices or attempts',
    async (run) => {
      const [bus, rest] = [await readRecording(run), await toldIn(run)];
      const tables = await tablesAfter([...bus, ...rest]);
      expect(await tablesAfter([...rest, ...bus])).toEqual(tables);
      expect(await tablesAfter(interleaved(bus, [...rest, ...rest.slice(0, 50)], 3))).toEqual(tables);
      const alone = await tablesAfter(bus);
      // REST alone names more TF files, those of fast processing; it adds no slices or attempts.
      for (const name of ['slices', 'earlier'] as const) expect(tables[name]).toEqual(alone[name]);
    },
  );

  it.each(someRecordedRuns)('of the recorded run %s agree with the bus on every slice', async (run) => {
    const store = await storeOf([...(await readRecording(run)), ...(await toldIn(run))]);
    const { row, facts, record, findings } = factsOf(store, 'stf_datataking-shifter-0001');
    expect(record).toMatchObject({
      slices_told: row.slices_created,
      slices_unsent: 0,
      told: { status: 'completed' },
    });
    expect(row).toMatchObject({
      status: 'completed',
      slices_queued: 0,
      executed_by: 'shifter',
      workflow_name: 'stf_datataking',
    });
    expect(facts).toMatchObject({ results_repeated: 2, results_unmatched: 0 });
    expect(findings.map(({ code }) => code)).not.toContain('TOLD_OTHERWISE');
    const empty = await emptyStore();
    expect(await replayDifferences(store.sql, empty)).toEqual({ sentences: [], count: 0 });
    store.close();
    empty.close();
  });

  it.each(someRecordedRuns)('of the recorded run %s supply every result that was not heard on the bus', async (run) => {
    const bus = (await readRecording(run)).filter(({ destination }) => !destination.endsWith('panda.results'));
    const store = await storeOf([...bus, ...(await toldIn(run))]);
    const whole = await storeOf(await readRecording(run));
    const counts = (one: Store) => {
      const { row, facts } = factsOf(one, 'stf_datataking-shifter-0001');
      return [row.slices_completed, row.slices_failed, facts?.results_repeated];
    };
    expect(counts(store)).toEqual(counts(whole));
    store.close();
    whole.close();
  });

  it('lead to the same tables in one transaction or many, with other runs in between', async () => {
    const [bus, rest] = [await readRecording('H-1'), await toldIn('H-1')];
    const later = (await toldIn('H-2')).concat(await readRecording('H-2'));
    const all = [...bus.slice(0, 3), ...later.slice(0, 400), ...bus.slice(3), ...rest, ...later.slice(400)];
    const tables = await tablesAfter(all, 1);
    expect(await tablesAfter(all, 5000)).toEqual(tables);
    const store = await storeOf(all, 300);
    const empty = await emptyStore();
    expect(await replayDifferences(store.sql, empty)).toEqual({ sentences: [], count: 0 });
    store.close();
    empty.close();
  });

  it.each(someRecordedRuns)('of the recorded run %s break no check of its audit', async (run) => {
    const store = await storeOf([...(await readRecording(run)), ...(await toldIn(run))]);
    const queries = createQueries(store.db, () => undefined);
    const { checks } = queries.audit(queries.execution('stf_datataking-shifter-0001'));
    expect(checks.filter(({ state }) => state === 'broken')).toEqual([]);
    store.close();
  });
});
