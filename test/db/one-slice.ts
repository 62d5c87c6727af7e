import { makeRunningStore, type TestStore } from '../made-store.ts';

export const stf = 'swf.100010.000001.stf';
export const sample = 'swf.100010.000001_tf_001.tf';
export const sliceName = 'swf.100010.000001_slice_000.tf';

/** A running execution with one STF, its sample, and the first of the fifteen slices of the sample. */
export async function withSlice(params = {}, ofSample = {}): Promise<TestStore> {
  const made = await makeRunningStore(params);
  await made.say('stf_gen', { filename: stf, sequence: 1, tf_count: 100 });
  await made.say('stf_ready', { filename: stf, sequence: 1, tf_count: 100, size_bytes: 6400 });
  await made.say('tf_file_registered', {
    tf_filename: sample,
    stf_filename: stf,
    tf_first: 0,
    tf_last: 14,
    tf_count: 15,
    ...ofSample,
  });
  await made.say('slice', { ...slice(1), stf_filename: stf, start: 0, end: 0, tf_count: 1 });
  return made;
}

export const slice = (attempt: number) => ({ slice_id: 0, slice_filename: sliceName, tf_filename: sample, attempt });
export const byWorker = (attempt: number, slot = '01') => ({
  ...slice(attempt),
  worker_id: `worker/${slot}`,
  hostname: 'host',
});

export const secondSlice = {
  slice_id: 1,
  slice_filename: 'swf.100010.000001_slice_001.tf',
  tf_filename: sample,
  attempt: 1,
};
export const envelope = {
  sender: 'tester',
  namespace: 'test',
  execution_id: 'stf_datataking-tester-0001',
  run_id: '100010',
};
export const row = ({ store }: TestStore): unknown =>
  store.db.prepare('SELECT status, attempt, assigned_worker, error FROM tf_slices').get();
export const state = ({ store }: TestStore): any => store.db.prepare('SELECT * FROM run_states').get();
