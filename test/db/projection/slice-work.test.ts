import { describe, expect, it } from 'vitest';

import type { TestStore } from '../../made-store.ts';
import { byWorker, slice, sliceName, state, stf, withSlice } from '../one-slice.ts';

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

describe('a slice that is started', () => {
  it('belongs to the worker that started it, and its time in the queue is recorded', async () => {
    const made = await queuedAt10();
    await made.say('slice_started', { ...byWorker(1), timestamp: at(14) });
    expect(row(made)).toMatchObject({
      status: 'processing',
      assigned_worker: 'worker/01',
      assigned_at: at(14),
      hostname: 'host',
      starts: 1,
    });
    expect(state(made)).toMatchObject({ slices_queued: 0, slices_processing: 1 });
    // A second start does not add to its wait.
    await made.say('slice_started', { ...byWorker(1, '02'), timestamp: at(19) });
    expect(row(made)).toMatchObject({ assigned_worker: 'worker/02', assigned_at: at(19), starts: 2 });
    expect(state(made)).toMatchObject({ slices_queued: 0, slices_processing: 1 });
    expect(delays(made, 3)).toEqual([{ items: 1, total: 4, latest: at(14) }]);
  });

  it('stays completed if it was already completed', async () => {
    const { say } = await withSlice();
    await say('slice_result', { ...byWorker(1), state: 'done' });
    expect(await say('slice_started', byWorker(1))).toMatchObject({
      effect_code: 'NO_STEP',
      effect_reason: 'start of a slice that is completed',
    });
  });

  it('in a later attempt has been waiting since that attempt was queued', async () => {
    const made = await queuedAt10({ worker: { max_retries: 1 } });
    await made.say('slice_result', { ...byWorker(1), state: 'failed', timestamp: at(12) });
    await made.say('slice', { ...slice(2), ...cut, timestamp: at(20) });
    await made.say('slice_started', { ...byWorker(2), timestamp: at(23) });
    expect(delays(made, 3)).toEqual([{ items: 1, total: 3, latest: at(23) }]);
  });
});

describe('the result of a slice', () => {
  it('is recorded with its worker, its time and its duration', async () => {
    const made = await queuedAt10();
    await made.say('slice_started', { ...byWorker(1), timestamp: at(14) });
    await made.say('slice_result', { ...byWorker(1), state: 'done', processing_seconds: 2.5, timestamp: at(17) });
    expect(row(made)).toMatchObject({
      status: 'completed',
      assigned_worker: 'worker/01',
      assigned_at: at(14),
      completed_at: at(17),
      hostname: 'host',
      error: null,
      processing_seconds: 2.5,
      took_ms: null,
    });
    expect(delays(made, 4)).toEqual([{ items: 1, total: 3, latest: at(17) }]);
    expect(made.store.db.prepare('SELECT count(*) FROM payload_results').pluck().get()).toBe(0);
  });

  it('may arrive before the start is reported, and then has no recorded duration', async () => {
    const made = await queuedAt10();
    const done = { ...byWorker(1), state: 'done', took_seconds: 99, timestamp: at(17) } as const;
    await made.say('slice_result', done);
    expect(row(made)).toMatchObject({
      status: 'completed',
      assigned_at: at(17),
      starts: 0,
      took_ms: null,
      processing_seconds: null,
    });
    expect(delays(made, 4)).toEqual([]);
    expect(state(made)).toMatchObject({ slices_queued: 0, slices_processing: 0, slices_completed: 1 });
  });

  it.each([
    ['with a reason', 'bad geometry', 'bad geometry'],
    ['without a reason', undefined, 'failed without a reason'],
  ])('may be a failure %s', async (_, error, told) => {
    const made = await queuedAt10({ worker: { max_retries: 1 } });
    await made.say('slice_started', { ...byWorker(1), timestamp: at(14) });
    await made.say('slice_result', { ...byWorker(1), state: 'failed', error, timestamp: at(15) });
    expect(row(made)).toMatchObject({ status: 'failed', error: told });
    expect([delays(made, 4), delays(made, 5)]).toEqual([[], [{ items: 1, total: 1, latest: at(15) }]]);
    // There is an attempt left.
    expect(state(made)).toMatchObject({ slices_failed: 1, slices_exhausted: 0 });
  });

  it.each([
    ['no duration', 80, undefined, null],
    ['nearly the recorded one', 4, 4.9, null],
    ['just a second more', 4, 5, null],
    ['more, since both messages arrived at the same time', 4, 5.2, 5200],
    ['less, but not by enough to show an absence of the recorder', 20, 5, null],
    ['much less, since the recorder was away', 20.5, 5.1234, 5123],
  ])(
    'uses the duration from its worker only if the recorded one is implausible: %s',
    async (...[, recorded, took_seconds, took_ms]) => {
      const made = await queuedAt10();
      await made.say('slice_started', { ...byWorker(1), timestamp: at(14) });
      await made.say('slice_result', { ...byWorker(1), state: 'done', took_seconds, timestamp: at(14 + recorded) });
      expect(row(made)).toMatchObject({ took_ms });
      const seconds = took_ms === null ? recorded : (took_seconds ?? 0);
      expect(delays(made, 4)).toEqual([
        { items: 1, total: Math.round(seconds * 1000) / 1000, latest: at(14 + recorded) },
      ]);
    },
  );

  const outputs = [{ name: 'a.root', size_bytes: 7, checksum: 'sha256:ab' }];
  it.each([
    [{ exit_code: 0 }, { exit_code: 0 }],
    [{ signal: 'SIGKILL' }, { signal: 'SIGKILL' }],
    [{ output_tail: 'no such file' }, { output_tail: 'no such file' }],
    [
      { outputs, outputs_omitted: 3 },
      { outputs: JSON.stringify(outputs), outputs_omitted: 3 },
    ],
  ])('includes the facts about its payload: %j', async (facts, kept) => {
    const made = await withSlice();
    await made.say('slice_result', { ...byWorker(1), state: 'failed', ...facts });
    expect(made.store.db.prepare('SELECT * FROM payload_results').all()).toEqual([
      {
        slice_filename: sliceName,
        attempt: 1,
        execution_id: 'stf_datataking-tester-0001',
        exit_code: null,
        signal: null,
        output_tail: null,
        outputs: null,
        outputs_omitted: null,
        ...kept,
      },
    ]);
  });

  it('counts once: a later result of the same attempt has no effect', async () => {
    const made = await withSlice();
    await made.say('slice_result', { ...byWorker(1), state: 'done' });
    expect(await made.say('slice_result', { ...byWorker(1, '02'), state: 'failed' })).toMatchObject({
      effect_code: 'NO_STEP',
      effect_reason: 'result of a slice that is already completed',
    });
    expect(row(made)).toMatchObject({ status: 'completed', error: null });
  });
});
