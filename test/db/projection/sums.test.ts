import { describe, expect, it } from 'vitest';

import { addTo, keepDelay } from '../../../src/db/projection/sums.ts';
import type { Transaction } from '../../../src/db/sqlite/transaction.ts';
import { stages } from '../../../src/domain/stages.ts';
import { makeRunningStore } from '../../made-store.ts';
import { state, stf, withSlice } from '../one-slice.ts';

const execution_id = 'stf_datataking-tester-0001';
const at = (second: number): string => `2026-11-28T10:00:0${second}.000Z`;

describe('the counts of a transaction', () => {
  it('are summed, and written when it commits', async () => {
    const made = await makeRunningStore();
    const seen = await made.store.write((tx) => {
      addTo(tx, 'run_states', [execution_id], 'slices_queued', 3);
      addTo(tx, 'run_states', [execution_id], 'slices_failed', 1);
      addTo(tx, 'run_states', [execution_id], 'slices_queued', -1);
      return tx.sql('SELECT slices_queued, slices_failed FROM run_states').get();
    });
    // Nothing was written yet.
    expect(seen).toEqual({ slices_queued: 0, slices_failed: 0 });
    expect(state(made)).toMatchObject({ slices_queued: 2, slices_failed: 1, slices_created: 0 });
  });

  it('are visible inside it immediately, and are added only once', async () => {
    const made = await makeRunningStore();
    const seen = await made.store.write((tx) => {
      const read = (): unknown => {
        tx.settle();
        return (tx.sql('SELECT slices_queued FROM run_states').get() as { slices_queued: number }).slices_queued;
      };
      addTo(tx, 'run_states', [execution_id], 'slices_queued', 3);
      const first = read();
      addTo(tx, 'run_states', [execution_id], 'slices_queued', 4);
      return [first, read(), read()];
    });
    expect(seen).toEqual([3, 7, 7]);
    expect(state(made)).toMatchObject({ slices_queued: 7 });
  });

  it('belong to one execution, or to one of its files', async () => {
    const made = await withSlice();
    const { db } = made.store;
    await made.say('stf_gen', { filename: stf.replace('1.stf', '2.stf'), sequence: 2, tf_count: 10 });
    db.exec(`INSERT INTO run_states (execution_id) VALUES ('other')`);
    await made.store.write((tx) => {
      addTo(tx, 'stf_files', [execution_id, stf], 'slice_count', 4);
      addTo(tx, 'stf_files', ['other', stf], 'slice_count', 2);
      addTo(tx, 'run_states', ['other'], 'slices_queued', 9);
      addTo(tx, 'run_states', [execution_id], 'slices_queued', 0);
    });
    expect(db.prepare('SELECT slice_count FROM stf_files ORDER BY sequence').pluck().all()).toEqual([5, 0]);
    expect(db.prepare('SELECT slice_count FROM fastmon_files').pluck().all()).toEqual([1]);
    expect(db.prepare('SELECT slices_queued FROM run_states ORDER BY execution_id').pluck().all()).toEqual([9, 1]);
  });

  it('are dropped if the transaction fails', async () => {
    const made = await makeRunningStore();
    const failing = made.store.write((tx) => {
      addTo(tx, 'run_states', [execution_id], 'slices_queued', 3);
      throw new Error('no room on the disk');
    });
    await expect(failing).rejects.toThrow('no room on the disk');
    await made.store.write((tx) => addTo(tx, 'run_states', [execution_id], 'slices_queued', 1));
    expect(state(made)).toMatchObject({ slices_queued: 1 });
  });
});

describe('the delays of a stage', () => {
  const { stage } = stages[1];

  async function keeping() {
    const { store } = await makeRunningStore();
    return {
      keep: (...passages: Parameters<typeof keepDelay>[3][]) =>
        store.write((tx: Transaction) => {
          for (const passage of passages) keepDelay(tx, { execution_id }, stage, passage);
        }),
      rows: () => store.db.prepare('SELECT * FROM stage_delays ORDER BY bucket').all(),
    };
  }
  const row = (items: number, total: number, longest: number, latest: string) => ({
    execution_id,
    stage: 1,
    bucket: expect.any(Number),
    items,
    total,
    longest,
    latest,
  });

  it('are grouped by size, each group with its count, total, longest and latest delay', async () => {
    const { keep, rows } = await keeping();
    await keep({ from: at(0), to: at(4) }, { from: '2026-11-28T10:00:01.900Z', to: at(6) }, { from: at(1), to: at(2) });
    const kept = [row(1, 1, 1, at(2)), row(2, 8.1, 4.1, at(6))];
    expect(rows()).toEqual(kept);
    // The next transaction adds to them, in whatever order they ended.
    await keep({ from: at(1), to: at(5) });
    expect(rows()).toEqual([kept[0], row(3, 12.1, 4.1, at(6))]);
    await keep({ from: '2026-11-28T10:00:04.800Z', to: at(9) });
    expect(rows()).toEqual([kept[0], row(4, 16.3, 4.2, at(9))]);
  });

  it('keep the longest and the latest delay even if these were recorded first', async () => {
    const { keep, rows } = await keeping();
    await keep({ from: '2026-11-28T10:00:01.900Z', to: at(6) }, { from: at(0), to: at(4) });
    expect(rows()).toEqual([row(2, 8.1, 4.1, at(6))]);
  });

  it('are never negative, and not recorded if the beginning is unknown', async () => {
    const { keep, rows } = await keeping();
    await keep({ from: null, to: at(4) }, { from: undefined, to: at(4), seconds: 3 });
    expect(rows()).toEqual([]);
    await keep({ from: at(5), to: at(4) });
    expect(rows()).toEqual([{ ...row(1, 0, 0, at(4)), bucket: 0 }]);
  });

  it('use the measured duration if there is one', async () => {
    const { keep, rows } = await keeping();
    await keep({ from: at(0), to: at(4), seconds: 2.5 });
    expect(rows()).toEqual([row(1, 2.5, 2.5, at(4))]);
  });
});
