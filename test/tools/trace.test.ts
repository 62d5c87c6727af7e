import { describe, expect, it } from 'vitest';

import { byWorker, sample, sliceName, stf, withSlice } from '../db/one-slice.ts';
import { ask, connectInProcess } from '../helpers.ts';

const outputs = [{ name: 'a.root', size_bytes: 7, checksum: `sha256:${'ab'.repeat(32)}` }];
const path = `stf_datataking-tester-0001/outputs/${sliceName.replace('.tf', '')}/attempt_1`;

describe('the trace of a slice', () => {
  it.each([
    ['file:///data/sample.tf', `/data/${path}`],
    // The worker fetched the file, and its host may have another name for the folder.
    ['http://daq01:8090/sample.tf', path],
  ])(
    'shows the result of its last attempt and the folder of its outputs, for a sample at %s',
    async (file_url, outputs_folder) => {
      const { say, path: store } = await withSlice({ data: { write_files: true, dir: '/data' } }, { file_url });
      await say('slice_started', byWorker(1));
      await say('slice_result', { ...byWorker(1), state: 'done', exit_code: 0, outputs, outputs_omitted: 2 });
      const client = await connectInProcess(store);
      const went = { host: 'host', exit_code: 0, outputs, outputs_omitted: 2, outputs_folder };
      const { slice } = await ask(client, 'trace_data_product', { filename: sliceName });
      expect(slice).toEqual({ ...went, tf_first: 0, tf_last: 0, seconds: expect.any(Number) });
      expect((await ask(client, 'list_tf_slices', {})).items[0]).toMatchObject(went);
    },
  );

  it.each([
    [`UPDATE payload_results SET outputs = '[1'`, undefined],
    // Runs of other programs may have files of the same name.
    [
      `INSERT INTO fastmon_files (tf_filename, execution_id, file_url, created_at) SELECT tf_filename, 'a', 'http://other/x', created_at FROM fastmon_files`,
      `/data/${path}`,
    ],
  ])(
    'takes the output folder from the slice’s own run, and only if its outputs are readable: %s',
    async (change, folder) => {
      const made = await withSlice(
        { data: { write_files: true, dir: '/data' } },
        { file_url: 'file:///data/sample.tf' },
      );
      await made.say('slice_result', { ...byWorker(1), state: 'done', outputs });
      made.store.db.exec(change);
      const { slice } = await ask(await connectInProcess(made.path), 'trace_data_product', { filename: sliceName });
      expect(slice.outputs_folder).toBe(folder);
    },
  );

  it.each([stf, sample])('is left out for a file that is not a slice: %s', async (filename) => {
    const { path: store } = await withSlice();
    expect(await ask(await connectInProcess(store), 'trace_data_product', { filename })).not.toHaveProperty('slice');
  });
});
