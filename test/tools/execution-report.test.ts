import { describe, expect, it } from 'vitest';

import { createQueries } from '../../src/db/queries.ts';
import { reportOf } from '../../src/tools/execution-report.ts';
import { byWorker, secondSlice, stf, withSlice } from '../db/one-slice.ts';
import { makeStore, type TestStore } from '../helpers.ts';

const execution_id = 'stf_datataking-tester-0001';

async function storeOfRun(): Promise<TestStore> {
  const made = await makeStore();
  const run = { workflow_name: 'stf_datataking', params: {}, executed_by: 'tester' };
  await made.say('run_workflow', { command_id: 'c1', ...run });
  return made;
}

const reportFrom = ({ store }: TestStore): string =>
  reportOf(
    createQueries(store.db, () => true),
    execution_id,
    Date.now(),
  );

describe('the report of an execution', () => {
  it('has its last twenty notes, however long, and says how many it leaves out', async () => {
    const made = await storeOfRun();
    for (let n = 1; n <= 22; n += 1)
      await made.say('note', {
        command_id: `n${n}`,
        execution_id,
        author: 'tester',
        text: `note ${n} ${'x'.repeat(390)}`,
      });
    const report = reportFrom(made);
    const notes = report
      .split('\n')
      .flatMap((line) => /^- note: (?:\S+ \S+ UTC tester: note )?(\d+) /.exec(line)?.[1] ?? []);
    expect(notes).toEqual([...Array.from({ length: 20 }, (_, at) => String(22 - at)), '2']);
    expect(report).toContain('- note: 2 earlier notes not shown\n');
    expect(report).not.toContain('cut to');
  });

  it('says whether the data is complete, and how many slices were not processed', async () => {
    const made = await withSlice({ worker: { max_retries: 0 } });
    expect(reportFrom(made)).toContain('\n- data: not complete yet\n');
    await made.say('slice_started', byWorker(1));
    await made.say('slice_result', { ...byWorker(1), state: 'failed' });
    expect(reportFrom(made)).toContain('\n- data: not complete yet, 1 slice not processed\n');
  });

  it('counts the attempts after the first', async () => {
    const made = await storeOfRun();
    expect(reportFrom(made)).not.toContain('- retries');
    made.store.db.exec('UPDATE run_states SET slice_retries = 3');
    expect(reportFrom(made)).toContain('\n- retries: 3\n');
  });

  it.each([
    [5, ''],
    [7, ' and 2 more'],
  ])('of %i slices without a final result, lists five%s', async (n, more) => {
    const made = await withSlice();
    for (let id = 1; id < n; id += 1) {
      const slice_filename = `swf.100010.000001_slice_00${id}.tf`;
      const cut = { stf_filename: stf, start: id, end: id, tf_count: 1 };
      await made.say('slice', { ...secondSlice, slice_id: id, slice_filename, ...cut });
    }
    expect(reportFrom(made)).toMatch(
      new RegExp(`results 0 of ${n}: .*_slice_000\\.tf, .*_slice_004\\.tf${more}$`, 'm'),
    );
  });
});
