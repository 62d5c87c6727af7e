import { expect, it } from 'vitest';

import { countedDelays, stagePictures, timedDelays } from '../../../src/db/reports/stage-delays.ts';
import type { StageDelay } from '../../../src/domain/stages.ts';
import { makeStore } from '../../made-store.ts';
import { insert } from '../observed/observed-rows.ts';
import { sample, slice, stf } from './file-rows.ts';

const of = (delays: readonly StageDelay[]) =>
  delays.map(({ stage, items, p50, p95, max }) => ({ stage, items, p50, p95, max }));

it('stage delays are computed from files and slices if the projection has recorded none', async () => {
  const { store } = await makeStore();
  expect(timedDelays(store.sql, 'e')).toEqual([]);
  await store.write((tx) => {
    const theirs = { execution_id: 'other' };
    stf(tx, 'theirs', 0, { ...theirs, took_ms: 9e6 });
    for (const n of [3, 1, 2]) stf(tx, `f${n}`, 0, { took_ms: n * 1000 });
    stf(tx, 'not ready', 0);
    sample(tx, 'theirs', 0, { ...theirs, waited_ms: 9e6 });
    sample(tx, 't', 0, { waited_ms: 500 });
    slice(tx, 'theirs', 0, { ...theirs, waited_ms: 9e6, took_ms: 9e6, status: 'completed' });
    for (let n = 1; n <= 40; n += 1)
      slice(tx, `s${n}`, 0, { waited_ms: 0, took_ms: n * 100, status: n <= 20 ? 'completed' : 'failed' });
  });
  const delays = of(timedDelays(store.sql, 'e'));
  expect(delays).toEqual([
    { stage: 'stf_gen → stf_ready', items: 3, p50: 2, p95: 3, max: 3 },
    { stage: 'stf_ready → tf_file_registered', items: 1, p50: 0.5, p95: 0.5, max: 0.5 },
    { stage: 'slice → slice_started', items: 40, p50: 0, p95: 0, max: 0 },
    { stage: 'slice_started → slice_result', items: 20, p50: 1, p95: 1.9, max: 2 },
    { stage: 'slice_started → failed result', items: 20, p50: 3, p95: 3.9, max: 4 },
  ]);
  const pictures = stagePictures(store.sql, 'e');
  expect(of(pictures)).toEqual(delays);
  const itemsOf = pictures.map(({ buckets }) => buckets.reduce((sum, [, items]) => sum + items, 0));
  expect(itemsOf).toEqual(delays.map(({ items }) => items));
  expect(pictures.find(({ stage }) => stage === 'slice → slice_started')?.buckets).toEqual([[0, 40]]);
});

it('the recorded stage delays of an execution take precedence over computed ones', async () => {
  const { store } = await makeStore();
  await store.write((tx) => {
    const counted = { stage: 0, total: 0, longest: 0, latest: '' };
    insert(tx, 'stage_delays', { ...counted, execution_id: 'e', bucket: 0, items: 2 });
    insert(tx, 'stage_delays', { ...counted, execution_id: 'e', bucket: 3, items: 1 });
    insert(tx, 'stage_delays', { ...counted, execution_id: 'other', bucket: 0, items: 5 });
    stf(tx, 'timed', 0, { took_ms: 9e6 });
  });
  expect(countedDelays(store.sql, 'e')).toMatchObject([{ stage: 'stf_gen → stf_ready', items: 3 }]);
  expect(stagePictures(store.sql, 'e')).toMatchObject([
    {
      items: 3,
      buckets: [
        [0, 2],
        [3, 1],
      ],
    },
  ]);
});
