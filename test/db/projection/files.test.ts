import { describe, expect, it } from 'vitest';

import { makeRunningStore, type TestStore } from '../../made-store.ts';
import { state } from '../one-slice.ts';

const at = (second: number): string => `2026-11-28T10:00:0${second}.000Z`;
const stf = (n: number): string => `swf.100010.${String(n).padStart(6, '0')}.stf`;
const tf = (n: number, sample = 1): string => stf(n).replace('.stf', `_tf_00${sample}.tf`);
const generated = (n: number, tf_count = 100) => ({ filename: stf(n), sequence: n, tf_count });
const sampled = (n: number, sample = 1) => ({
  tf_filename: tf(n, sample),
  stf_filename: stf(n),
  tf_first: 0,
  tf_last: 14,
  tf_count: 15,
});

const rows = ({ store }: TestStore, table: string): any[] =>
  store.db.prepare(`SELECT * FROM ${table} ORDER BY seq`).all();
const run = ({ store }: TestStore): any => store.db.prepare('SELECT * FROM runs').get();
const delays = ({ store }: TestStore): any[] =>
  store.db.prepare('SELECT stage, items, total, latest FROM stage_delays').all();

describe('an STF', () => {
  it('is announced with its frames and its place, and its samples are expected', async () => {
    const made = await makeRunningStore({ fastmon: { tf_samples_per_stf: 2 } });
    const said = { ...generated(1), file_url: 'http://host-a/1.stf', timestamp: at(1) };
    expect(await made.say('stf_gen', said)).toMatchObject({ effect: 'applied' });
    await made.say('stf_gen', generated(2, 1));
    const [first, second] = rows(made, 'stf_files');
    expect(first).toMatchObject({
      stf_filename: stf(1),
      run_number: 100_010,
      execution_id: 'stf_datataking-tester-0001',
      sequence: 1,
      status: 'registered',
      tf_count: 100,
      file_url: 'http://host-a/1.stf',
      created_at: at(1),
      processed_at: null,
    });
    expect(second).toMatchObject({ file_url: null });
    // One frame makes only one sample.
    expect(state(made)).toMatchObject({ stfs_announced: 2, stfs_ready: 0, samples_expected: 3 });
  });

  it('must have the name that follows from its number', async () => {
    const { say } = await makeRunningStore();
    expect(await say('stf_gen', { ...generated(1), filename: stf(2) })).toMatchObject({
      effect_code: 'NOT_PLANNED',
      effect_reason: `STF 1 of run 100010 is ${stf(1)}, not ${stf(2)}`,
    });
  });

  it('waits for all earlier STFs, even after the end of the run, up to the announced total', async () => {
    const made = await makeRunningStore();
    await made.say('stf_gen', generated(1));
    await made.say('end_run', { total_stf_files: 3, reason: 'completed' });
    const last = await made.say('stf_gen', generated(3));
    expect(last).toMatchObject({ effect_code: 'WAITS', effect_reason: `waits for ${stf(2)}` });
    expect(await made.say('stf_gen', generated(4))).toMatchObject({
      effect_code: 'NO_STEP',
      effect_reason: 'the run has ended',
    });
    expect(await made.say('stf_gen', generated(2))).toMatchObject({ effect: 'applied', released: ['stf_gen'] });
    expect(state(made)).toMatchObject({ stfs_announced: 3, samples_expected: 3 });
  });

  it('becomes ready with its size and checksum, and its delay is recorded', async () => {
    const made = await makeRunningStore();
    await made.say('stf_gen', { ...generated(1), timestamp: at(1) });
    await made.say('stf_gen', { ...generated(2), timestamp: at(1) });
    await made.say('stf_ready', { ...generated(1), checksum: 'sha256:ab', size_bytes: 6400, timestamp: at(4) });
    const [first, second] = rows(made, 'stf_files');
    expect(first).toMatchObject({ status: 'processed', checksum: 'sha256:ab', size_bytes: 6400, processed_at: at(4) });
    expect(second).toMatchObject({ status: 'registered', processed_at: null });
    expect(state(made)).toMatchObject({ stfs_announced: 2, stfs_ready: 1 });
    expect(run(made)).toMatchObject({ dataset_files: 1, dataset_bytes: 6400, dataset_state: 'open' });
    expect(delays(made)).toEqual([{ stage: 0, items: 1, total: 3, latest: at(4) }]);
    // Without data files there is no size or checksum.
    await made.say('stf_ready', generated(2));
    expect(rows(made, 'stf_files')[1]).toMatchObject({ status: 'processed', checksum: null, size_bytes: null });
    expect(run(made)).toMatchObject({ dataset_files: 2, dataset_bytes: 6400 });
  });

  it.each([
    ['number', { sequence: 2 }, 'STF 2 with 100'],
    ['number of frames', { tf_count: 99 }, 'STF 1 with 99'],
  ])('becomes ready only as announced, not with a different %s', async (_, other, told) => {
    const made = await makeRunningStore();
    await made.say('stf_gen', generated(1));
    expect(await made.say('stf_ready', { ...generated(1), ...other })).toMatchObject({
      effect_code: 'NOT_PLANNED',
      effect_reason: `${stf(1)} was announced as STF 1 with 100 Time Frames, not as ${told}`,
    });
    expect(state(made)).toMatchObject({ stfs_ready: 0 });
  });
});

describe('a sample', () => {
  it('is counted for its STF, and its slices are expected', async () => {
    const made = await makeRunningStore({
      fastmon: { tf_samples_per_stf: 2 },
      fast_processing: { slices_per_sample: 10 },
    });
    await made.say('stf_gen', generated(1));
    await made.say('stf_ready', { ...generated(1), timestamp: at(2) });
    const said = { ...sampled(1), size_bytes: 960, file_url: 'http://host-a/1.tf', timestamp: at(3) };
    expect(await made.say('tf_file_registered', said)).toMatchObject({ effect: 'applied' });
    expect(state(made)).toMatchObject({ tf_files_received: 1, slices_expected: 10 });
    await made.say('tf_file_registered', { ...sampled(1, 2), tf_first: 97, tf_last: 99, tf_count: 3 });
    expect(rows(made, 'fastmon_files')).toMatchObject([
      {
        tf_filename: tf(1),
        stf_filename: stf(1),
        run_number: 100_010,
        tf_first: 0,
        tf_last: 14,
        tf_count: 15,
        size_bytes: 960,
        file_url: 'http://host-a/1.tf',
        created_at: at(3),
      },
      { tf_filename: tf(1, 2), tf_first: 97, tf_last: 99, size_bytes: null, file_url: null },
    ]);
    expect(rows(made, 'stf_files')).toMatchObject([{ tf_file_count: 2 }]);
    expect(state(made)).toMatchObject({ tf_files_received: 2, slices_expected: 13 });
    expect(delays(made)).toContainEqual({ stage: 1, items: 1, total: 1, latest: at(3) });
  });

  it('may arrive before its STF is ready, and then has no recorded delay', async () => {
    const made = await makeRunningStore();
    await made.say('stf_gen', generated(1));
    expect(await made.say('tf_file_registered', sampled(1))).toMatchObject({ effect: 'applied' });
    expect(delays(made)).toEqual([]);
  });

  const outside = (frames: string) => `frames ${frames} of the 100 frames of ${stf(1)}`;
  it.each([
    [
      'has no number',
      { tf_filename: 'swf.100010.000001.tf' },
      `swf.100010.000001.tf is not the name of a sample of ${stf(1)}`,
    ],
    ['belongs to another STF', { tf_filename: tf(2) }, `${tf(2)} is not the name of a sample of ${stf(1)}`],
    ['has a different number of frames than it states', { tf_count: 14 }, outside('0 to 14 are not 14')],
    ['ends beyond its STF', { tf_first: 86, tf_last: 100 }, outside('86 to 100 are not 15')],
    ['is one more than planned', { tf_filename: tf(1, 2) }, `${stf(1)} has 1 planned samples, not 2`],
  ])('is refused if it %s', async (_, fields, effect_reason) => {
    const made = await makeRunningStore();
    await made.say('stf_gen', generated(1));
    const said = { ...sampled(1), ...fields };
    expect(await made.say('tf_file_registered', said)).toMatchObject({ effect_code: 'NOT_PLANNED', effect_reason });
    expect(state(made)).toMatchObject({ tf_files_received: 0, slices_expected: 0 });
  });

  it('may extend to the last frame of its STF', async () => {
    const { say } = await makeRunningStore();
    await say('stf_gen', generated(1));
    const last = { ...sampled(1), tf_first: 85, tf_last: 99 };
    expect(await say('tf_file_registered', last)).toMatchObject({ effect: 'applied' });
  });
});
