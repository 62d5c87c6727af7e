import { describe, expect, it } from 'vitest';

import { noCounts, type TestStore } from '../../made-store.ts';
import { byWorker, sample, secondSlice, slice, sliceName, state, stf, withSlice } from '../one-slice.ts';

const at = (second: number): string => new Date(Date.parse('2026-11-28T10:00:00.000Z') + second * 1000).toISOString();
const row = ({ store }: TestStore): any => store.db.prepare('SELECT * FROM tf_slices').get();
const delays = ({ store }: TestStore, stage: number): unknown =>
  store.db.prepare('SELECT items, total, latest FROM stage_delays WHERE stage = ?').all(stage);
const cut = { stf_filename: stf, start: 0, end: 0, tf_count: 1 };

/** The slice is queued at second 10. */
async function queuedAt10(params = {}): Promise<TestStore> {
  const made = await withSlice(params);
  made.store.db.exec(`UPDATE tf_slices SET created_at = '${at(10)}'`);
  return made;
}

describe('a new slice', () => {
  it('is counted for its sample and its STF, and its delay is recorded', async () => {
    const made = await withSlice();
    made.store.db.exec(`UPDATE fastmon_files SET created_at = '${at(1)}'; DELETE FROM stage_delays`);
    const second = { ...secondSlice, ...cut, start: 1, end: 1, timestamp: at(3) };
    expect(await made.say('slice', second)).toMatchObject({ effect: 'applied' });
    const { db } = made.store;
    expect(db.prepare('SELECT * FROM tf_slices WHERE slice_id = 1').get()).toMatchObject({
      slice_filename: secondSlice.slice_filename,
      tf_filename: sample,
      stf_filename: stf,
      run_number: 100_010,
      tf_first: 1,
      tf_last: 1,
      tf_count: 1,
      status: 'queued',
      attempt: 1,
      created_at: at(3),
    });
    expect(db.prepare('SELECT slice_count FROM fastmon_files').pluck().get()).toBe(2);
    expect(db.prepare('SELECT slice_count FROM stf_files').pluck().get()).toBe(2);
    expect(state(made)).toMatchObject({ slices_created: 2, slices_queued: 2 });
    expect(delays(made, 2)).toEqual([{ items: 1, total: 2, latest: at(3) }]);
  });

  const tf2 = sample.replace('001.tf', '002.tf');
  const other = 'swf.100010.000002';
  it.each([
    ['has a different name', { slice_filename: 'a.tf' }, 'NOT_PLANNED', `a.tf is not the name of slice 1 of ${stf}`],
    ['belongs to an unregistered sample', { tf_filename: tf2 }, 'WAITS', `waits for ${tf2}`],
    [
      'belongs to a sample of another STF',
      { stf_filename: `${other}.stf`, slice_filename: `${other}_slice_001.tf` },
      'NOT_PLANNED',
      `${sample} is not a sample of ${other}.stf`,
    ],
    [
      'starts at a different frame',
      { start: 2 },
      'NOT_PLANNED',
      `${sample} is not cut into a slice 1 with 1 frames from 2 to 1`,
    ],
    [
      'ends at a different frame',
      { end: 2 },
      'NOT_PLANNED',
      `${sample} is not cut into a slice 1 with 1 frames from 1 to 2`,
    ],
    [
      'has more frames',
      { tf_count: 2 },
      'NOT_PLANNED',
      `${sample} is not cut into a slice 1 with 2 frames from 1 to 1`,
    ],
    [
      'exceeds the planned number of slices',
      { slice_id: 15, slice_filename: 'swf.100010.000001_slice_015.tf' },
      'NOT_PLANNED',
      `${sample} is not cut into a slice 15 with 1 frames from 1 to 1`,
    ],
    [
      'is a later attempt',
      { attempt: 2 },
      'WAITS',
      `waits for the failure of attempt 1 of ${secondSlice.slice_filename}`,
    ],
  ])('is not created if it %s', async (_, fields, effect_code, effect_reason) => {
    const made = await withSlice();
    const said = await made.say('slice', { ...secondSlice, ...cut, start: 1, end: 1, ...fields });
    expect(said).toMatchObject({ effect: 'none', effect_code, effect_reason });
    expect(state(made)).toMatchObject({ slices_created: 1 });
  });
});

describe('a slice that is queued again', () => {
  it('starts afresh, but keeps what is known about its earlier attempt', async () => {
    const made = await queuedAt10({ worker: { max_retries: 2 } });
    await made.say('slice_started', { ...byWorker(1), timestamp: at(14) });
    const failed = { ...byWorker(1), state: 'failed', error: 'bad', processing_seconds: 2, took_seconds: 60 } as const;
    await made.say('slice_result', { ...failed, timestamp: at(16) });
    expect(await made.say('slice', { ...slice(2), ...cut, timestamp: at(20) })).toMatchObject({ effect: 'applied' });
    expect(row(made)).toMatchObject({
      status: 'queued',
      attempt: 2,
      queued_again_at: at(20),
      assigned_worker: null,
      assigned_at: null,
      completed_at: null,
      hostname: null,
      processing_seconds: null,
      took_ms: null,
      starts: 0,
      error: 'bad',
    });
    expect(made.store.db.prepare('SELECT * FROM earlier_attempts').all()).toMatchObject([
      {
        attempt: 1,
        state: 'failed',
        worker_id: 'worker/01',
        queued_at: at(10),
        started_at: at(14),
        completed_at: at(16),
        error: 'bad',
      },
    ]);
    expect(state(made)).toMatchObject({ slice_retries: 1, slices_retried: 1, slices_failed: 0, slices_queued: 1 });
    await made.say('slice_result', { ...byWorker(2), state: 'failed' });
    await made.say('slice', { ...slice(3), ...cut });
    expect(state(made)).toMatchObject({ slice_retries: 2, slices_retried: 1, slices_exhausted: 0 });
    await made.say('slice_result', { ...byWorker(3), state: 'failed' });
    expect(state(made)).toMatchObject({ slices_failed: 1, slices_exhausted: 1 });
  });

  const isOther = `${sliceName} has different frames, or belongs to another file`;
  it.each([
    [{ slice_id: 1 }],
    [{ tf_filename: sample.replace('001.tf', '002.tf') }],
    [{ stf_filename: 'swf.100010.000002.stf' }],
    [{ start: 1 }],
    [{ end: 1 }],
    [{ tf_count: 2 }],
  ])('must be the same slice: %j differs', async (fields) => {
    const made = await withSlice({ worker: { max_retries: 1 } });
    await made.say('slice_result', { ...byWorker(1), state: 'failed' });
    const said = await made.say('slice', { ...slice(2), ...cut, ...fields });
    expect(said).toMatchObject({ effect_code: 'NOT_PLANNED', effect_reason: isOther });
    expect(row(made)).toMatchObject({ status: 'failed', attempt: 1 });
  });

  const waits = (attempt: number) => ['WAITS', `waits for the failure of attempt ${attempt} of ${sliceName}`];
  const noStep = (attempt: number, status: string) => [
    'NO_STEP',
    `attempt ${attempt} of a slice that is ${status} in attempt 1`,
  ];
  it.each([
    ['queued', 2, waits(1)],
    ['queued', 3, waits(2)],
    ['queued', 4, noStep(4, 'queued')],
    ['failed', 3, waits(2)],
    ['failed', 4, noStep(4, 'failed')],
    ['completed', 2, noStep(2, 'completed')],
  ] as const)(
    'waits for the previous attempt to fail if that is still possible: attempt 1 is %s, and attempt %i arrives',
    async (status, attempt, [effect_code, effect_reason]) => {
      const made = await withSlice({ worker: { max_retries: 2 } });
      if (status !== 'queued')
        await made.say('slice_result', { ...byWorker(1), state: status === 'failed' ? 'failed' : 'done' });
      const said = await made.say('slice', { ...slice(attempt), ...cut });
      expect(said).toMatchObject({ effect: 'none', effect_code, effect_reason });
      expect(row(made)).toMatchObject({ status, attempt: 1 });
    },
  );

  it('at the end of its execution keeps its attempt, and names the worker that had it in hand', async () => {
    const made = await withSlice();
    await made.say('slice', { ...secondSlice, ...cut, start: 1, end: 1 });
    await made.say('slice_started', byWorker(1));
    await made.say('workflow_ended', { ...noCounts, status: 'failed', reason: 'no beam' });
    expect(made.store.db.prepare('SELECT status, attempt, left_by FROM tf_slices ORDER BY seq').all()).toEqual([
      { status: 'queued', attempt: 1, left_by: 'worker/01' },
      { status: 'queued', attempt: 1, left_by: null },
    ]);
    expect(state(made)).toMatchObject({ slices_queued: 2, slices_processing: 0 });
  });
});
