import { afterEach, describe, expect, it, vi } from 'vitest';

import { listTfSlices } from '../../../src/db/lists/tf-slices.ts';
import { countedDelays } from '../../../src/db/reports/stage-delays.ts';
import { makeRunningStore } from '../../made-store.ts';

const execution_id = 'stf_datataking-tester-0001';
const stf = 'swf.100010.000001.stf';
const tf = 'swf.100010.000001_tf_001.tf';
const generated = { filename: stf, sequence: 1, tf_count: 100 };
const slice = { slice_id: 0, slice_filename: 'swf.100010.000001_slice_000.tf', tf_filename: tf, attempt: 1 };
const worked = { ...slice, worker_id: 'worker/01', hostname: 'host' };

afterEach(() => {
  vi.useRealTimers();
});

describe('the duration of a slice', () => {
  it.each([
    ['the recording times if they are plausible', 4, 3.2, 4],
    ['its worker if both messages were recorded together, after the recorder was away', 0, 3, 3],
    ['its worker if the recorder was away before the result', 80, 3, 3],
    ['its worker if the clock was set forward', 423, 3, 3],
    ['the recording times if the worker reports no duration', 80, undefined, 80],
  ] as const)('comes from %s', async (_title, recorded, took_seconds, told) => {
    const { say, store } = await makeRunningStore();
    await say('stf_gen', generated);
    await say('stf_ready', generated);
    await say('tf_file_registered', { tf_filename: tf, stf_filename: stf, tf_first: 0, tf_last: 14, tf_count: 15 });
    await say('slice', { ...slice, stf_filename: stf, start: 0, end: 0, tf_count: 1 });
    const start = Date.now();
    vi.useFakeTimers({ toFake: ['Date'], now: start });
    await say('slice_started', worked);
    vi.setSystemTime(start + recorded * 1000);
    const measured = took_seconds === undefined ? {} : { took_seconds };
    await say('slice_result', { ...worked, state: 'done', processing_seconds: 30, ...measured });
    const page = { order: 'newest', limit: 5, after: undefined } as const;
    expect(listTfSlices(store.sql, { execution_id }, page).rows[0]?.seconds).toBeCloseTo(told, 1);
    const hand = countedDelays(store.sql, execution_id).find(({ stage }) => stage === 'slice_started → slice_result');
    expect(hand?.max).toBeCloseTo(told, 1);
  });
});
