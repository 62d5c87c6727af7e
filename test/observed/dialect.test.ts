import { describe, expect, it } from 'vitest';

import { fieldsOf } from '../../src/observed/namespace-filter.ts';
import { dialectOf } from '../../src/observed/reading/dialects.ts';
import { readRecording, recordedRuns } from '../observer/recordings.ts';

describe('the dialect of a message', () => {
  it.each([
    ['S', { msg_type: 'stf_ready', message_id: 'x', file_type: null }],
    ['F', { msg_type: 'stf_ready', file_type: null }],
    ['H', { msg_type: 'stf_ready', filename: 'a' }],
    ['F', { msg_type: 'transformer_ready' }],
    ['F', { msg_type: 'run_imminent_worker', content: { memory_per_core: 4000 } }],
    ['F', { msg_type: 'run_imminent_worker', content: { streaming_mode: 'none' } }],
    ['H', { msg_type: 'run_imminent_worker', content: { core_count: 1 } }],
    ['F', { msg_type: 'slice', content: { tf_slice_id: 1 } }],
    ['F', { msg_type: 'slice', content: { tf_file_id: 'u' } }],
    ['H', { msg_type: 'slice', content: { slice_id: 1 } }],
    ['F', { msg_type: 'slice_result', content: { result: { result: { origin_message: {} } } } }],
    ['H', { msg_type: 'slice_result', content: { result: { result: { slice_id: 0 } } } }],
    [undefined, { msg_type: 'slice_result', content: { result: { state: false, result: null } } }],
    [undefined, { msg_type: 'slice_result', content: null }],
    [undefined, { msg_type: 'slice_result' }],
    [undefined, { msg_type: 'run_imminent' }],
    [undefined, { msg_type: 5 }],
    [undefined, {}],
  ])('is %s for %j', (dialect, body) => {
    expect(dialectOf(body)).toBe(dialect);
  });

  it.each(recordedRuns)('is the same in every message of %s that shows it', async (run) => {
    const dialects = new Set((await readRecording(run)).map((line) => dialectOf(fieldsOf(line))));
    expect([...dialects].filter((one) => one !== undefined)).toEqual([run[0]]);
  });
});
