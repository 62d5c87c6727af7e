import { describe, expect, it } from 'vitest';

import type { TestStore } from '../../made-store.ts';
import { byWorker, row, sample, slice, sliceName, state, stf, withSlice } from '../one-slice.ts';

const at = '2026-11-28T10:00:07.000Z';
const returned = ({ store }: TestStore): any[] => store.db.prepare('SELECT * FROM returned_slices').all();

describe('a slice that a worker returns', () => {
  it('is queued again in the same attempt, with the worker and the reason on record', async () => {
    const made = await withSlice();
    await made.say('slice_started', byWorker(1));
    const said = { ...byWorker(1), reason: 'NO_PAYLOAD', detail: 'no such program', timestamp: at } as const;
    expect(await made.say('slice_returned', said)).toMatchObject({ effect: 'applied' });
    expect(row(made)).toMatchObject({ status: 'queued', attempt: 1, assigned_worker: null });
    expect(made.store.db.prepare('SELECT assigned_at, hostname, starts FROM tf_slices').get()).toEqual({
      assigned_at: null,
      hostname: null,
      starts: 1,
    });
    expect(state(made)).toMatchObject({ slices_queued: 1, slices_processing: 0 });
    expect(returned(made)).toEqual([
      {
        slice_filename: sliceName,
        attempt: 1,
        execution_id: 'stf_datataking-tester-0001',
        reason: 'NO_PAYLOAD',
        kind: 'placeholder',
        worker_id: 'worker/01',
        hostname: 'host',
        detail: 'no such program',
        returned_at: at,
      },
    ]);
  });

  it('need not have been started before', async () => {
    const made = await withSlice();
    expect(await made.say('slice_returned', { ...byWorker(1), reason: 'NO_FILE' })).toMatchObject({
      effect: 'applied',
    });
    expect(row(made)).toMatchObject({ status: 'queued', attempt: 1 });
    expect(state(made)).toMatchObject({ slices_queued: 1, slices_processing: 0 });
    expect(returned(made)).toMatchObject([{ reason: 'NO_FILE', detail: null }]);
  });

  it.each([
    ['the place of its file', 'NO_FILE', 'http://host-a:8090'],
    ['its payload', 'NO_PAYLOAD', 'reco sha256:ab'],
    ['its file', 'WRONG_FILE', sample],
  ] as const)('is recorded with what the worker lacked: %s', async (_, reason, kind) => {
    const made = await withSlice({ worker: { max_retries: 1 } });
    await made.say('slice_result', { ...byWorker(1), state: 'failed' });
    const file_url = `http://host-a:8090/e-1/${sample}`;
    const payload = { name: 'reco', digest: 'sha256:ab' };
    await made.say('slice', { ...slice(2), stf_filename: stf, start: 0, end: 0, tf_count: 1, file_url, payload });
    await made.say('slice_returned', { ...byWorker(2), reason });
    expect(returned(made)).toMatchObject([{ reason, kind, attempt: 2 }]);
  });

  it('stays as it is if another worker has it in hand or has completed it', async () => {
    const made = await withSlice();
    const said = { ...byWorker(1), reason: 'NO_FILE' } as const;
    await made.say('slice_started', byWorker(1, '02'));
    expect(await made.say('slice_returned', said)).toMatchObject({
      effect_code: 'NO_STEP',
      effect_reason: 'return of a slice that worker/02 holds',
    });
    await made.say('slice_result', { ...byWorker(1, '02'), state: 'done' });
    expect(await made.say('slice_returned', { ...byWorker(1, '03'), reason: 'NO_FILE' })).toMatchObject({
      effect_code: 'NO_STEP',
      effect_reason: 'return of a slice that is completed',
    });
    expect(returned(made)).toEqual([]);
    expect(row(made)).toMatchObject({ status: 'completed' });
  });

  it.each([
    [2, 'WAITS', `waits for attempt 2 of ${sliceName}`],
    [9, 'NO_STEP', 'attempt 9 of a slice that is queued in attempt 1'],
  ])(
    'waits for its attempt to begin, unless that can never happen: attempt %i',
    async (attempt, effect_code, effect_reason) => {
      const made = await withSlice({ worker: { max_retries: 1 } });
      const said = await made.say('slice_returned', { ...byWorker(attempt), reason: 'NO_FILE' });
      expect(said).toMatchObject({ effect_code, effect_reason });
      expect(returned(made)).toEqual([]);
    },
  );
});
