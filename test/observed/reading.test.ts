import { describe, expect, it } from 'vitest';

import { readMessage } from '../../src/observed/reading/read-message.ts';
import type { MessageLine } from '../../src/observed/recording-lines.ts';
import { readRecording, recordedRuns } from '../observer/recordings.ts';
import { dice } from './generator.ts';
import { spoilt } from './spoilt.ts';

type Body = Record<string, unknown>;

const line = (body: unknown, headers: Record<string, string> = {}): MessageLine => ({
  t: '2026-11-27T09:00:00.000Z',
  destination: '/topic/x',
  headers,
  body,
});

const factOf = (body: unknown, headers?: Record<string, string>) => readMessage(line(body, headers)).fact;

/** Messages as the programs of 2026 send them. Those without content that is known here have no fact. */
const examples: [string, Body, object | undefined][] = [
  [
    'run_imminent',
    { msg_type: 'run_imminent', run_id: '1', simulation_tick: 5 },
    { kind: 'phase', type: 'run_imminent' },
  ],
  ['end_run', { msg_type: 'end_run', run_id: '1', total_stf_files: 3 }, { kind: 'phase', total_stf_files: 3 }],
  [
    'the copy of end_run for workers',
    { msg_type: 'end_run', run_id: '1', content: { total_stf_files: 3 } },
    { kind: 'phase', total_stf_files: 3 },
  ],
  [
    'stf_gen with a URL',
    { msg_type: 'stf_gen', run_id: '1', filename: 'root://host//a/b.root', sequence: 1, total_tfs: 1000 },
    { kind: 'stf_gen', stf_filename: 'root://host//a/b.root', tf_count: 1000 },
  ],
  [
    'stf_ready',
    { msg_type: 'stf_ready', run_id: '1', filename: 'a.stf', checksum: null, sequence: 1 },
    { kind: 'stf_ready', stf_filename: 'a.stf', checksum: undefined },
  ],
  [
    'stf_ready of prompt processing, once per run',
    { msg_type: 'stf_ready', run_id: '1', req_id: 1 },
    { kind: 'handed_over', site: undefined },
  ],
  [
    'stf_ready of the decision box, once per site',
    { msg_type: 'stf_ready', run_id: '1', req_id: 1, site: 'E1_BNL', input_dataset: 'x', decision_box_enabled: true },
    { kind: 'handed_over', site: 'E1_BNL', input_dataset: 'x' },
  ],
  [
    'stf_ready without the decision box, for the other site',
    { msg_type: 'stf_ready', run_id: '1', req_id: 1, decision_box_enabled: false, non_decision_box_site: 'E1_JLAB' },
    { kind: 'handed_over', site: 'E1_JLAB' },
  ],
  ['stf_ready without a file or a request', { msg_type: 'stf_ready', run_id: '1' }, undefined],
  [
    'run_imminent of prompt processing',
    { msg_type: 'run_imminent', run_id: '1', dataset: 'swf.1.run', container: '/tmp' },
    { kind: 'phase', dataset: 'swf.1.run' },
  ],
  [
    'run_imminent with some other dataset',
    { msg_type: 'run_imminent', run_id: '1', dataset: 'x' },
    { kind: 'phase', dataset: undefined },
  ],
  [
    'stf_gen of the decision box',
    { msg_type: 'stf_gen', run_id: '1', filename: 'a.stf', decision_policy: 'round-robin' },
    { kind: 'stf_gen', policy: 'round-robin' },
  ],
  [
    'tf_file_registered',
    { msg_type: 'tf_file_registered', run_id: '1', tf_filename: 'a_tf_001.tf', file_size_bytes: 22, tf_count: 22 },
    { kind: 'tf_file_registered', tf_count: 22 },
  ],
  [
    'slice of H',
    { msg_type: 'slice', run_id: '1', content: { tf_filename: 'a_tf_001_slice_004.tf', slice_id: 4, req_id: 'r' } },
    { kind: 'slice', tf_filename: 'a_tf_001.tf', slice_filename: 'a_tf_001_slice_004.tf' },
  ],
  [
    'slice of F',
    { msg_type: 'slice', run_id: '1', content: { tf_filename: 'a_tf_1_001.tf', slice_id: 4, tf_slice_id: 8 } },
    { kind: 'slice', tf_filename: 'a_tf_1_001.tf', slice_filename: 'a_tf_1_001_slice_004.tf', tf_slice_id: '8' },
  ],
  [
    'result of H',
    {
      msg_type: 'slice_result',
      run_id: '1',
      content: { state: 'done', result: { result: { req_id: 'r', slice_id: 1 } } },
    },
    { kind: 'result', key: { by: 'request', value: 'r' } },
  ],
  [
    'failed result of H',
    {
      msg_type: 'slice_result',
      run_id: '1',
      content: { state: 'failed', requested_at: 't', result: { result: null, error: 'e' } },
    },
    { kind: 'result', key: { by: 'time', value: 't' }, error: 'e' },
  ],
  [
    'failed result of F',
    {
      msg_type: 'slice_result',
      run_id: '1',
      content: { state: 'failed', result: { result: { origin_message: { req_id: 'r' }, error: 'e' } } },
    },
    { kind: 'result', key: { by: 'request', value: 'r' }, error: 'e' },
  ],
  [
    'the answer to a heartbeat, which names no slice',
    {
      msg_type: 'slice_result',
      run_id: null,
      content: { state: 'failed', requested_at: null, result: { result: null, error: null } },
    },
    undefined,
  ],
  [
    'run_imminent_worker',
    { msg_type: 'run_imminent_worker', run_id: '1', content: { worker_rampup_time: 300 } },
    { kind: 'workers' },
  ],
  ['stf_processed', { msg_type: 'stf_processed', run_id: '1', processed: 15 }, undefined],
  ['snakemake_complete', { msg_type: 'snakemake_complete', run_id: '1', success: false }, undefined],
  ['announcement', { msg_type: 'announcement', message: 'hello' }, undefined],
  ['an old heartbeat', { agent_name: 'a', status: 'OK' }, undefined],
  [
    'slice of swf-mcp',
    { msg_type: 'slice', message_id: 'e/slice/a/1', run_id: '1', tf_filename: 'a_tf_001.tf', slice_id: 0, attempt: 2 },
    { kind: 'slice', req_id: 'a_tf_001_slice_000.tf/2' },
  ],
  ['an unknown type', { msg_type: 'new_type', run_id: '1' }, undefined],
];

describe('a message of the testbed', () => {
  it.each(examples)('yields the fact that it states, if any: %s', (_, body, expected) => {
    const fact = factOf(body);
    if (expected === undefined) expect(fact).toBeUndefined();
    else expect(fact).toMatchObject(expected);
  });

  it('takes its names from its body or else its headers, and ignores null, none and unknown', () => {
    const names = (body: Body, headers: Record<string, string>) => {
      const { namespace, run_id, told_id } = readMessage(line(body, headers));
      return { namespace, run_id, told_id };
    };
    expect(names({ namespace: 'a', run_id: 7, execution_id: null }, { namespace: 'b', run_id: '8' })).toEqual({
      namespace: 'a',
      run_id: '7',
      told_id: undefined,
    });
    expect(names({ run_id: 'unknown', content: { execution_id: 'e' } }, { namespace: 'b', run_id: 'none' })).toEqual({
      namespace: 'b',
      run_id: undefined,
      told_id: 'e',
    });
  });
});

/** The keys that a fact requires. */
const keys: Record<string, (fact: Body) => boolean> = {
  phase: () => true,
  workers: () => true,
  stf_gen: ({ stf_filename }) => typeof stf_filename === 'string',
  stf_ready: ({ stf_filename }) => typeof stf_filename === 'string',
  tf_file_registered: ({ tf_filename }) => typeof tf_filename === 'string',
  slice: ({ tf_filename, slice_id }) => typeof tf_filename === 'string' && Number.isInteger(slice_id),
  result: ({ key, state }) => typeof key === 'object' && (state === 'done' || state === 'failed'),
};

describe('a message with keys changed, dropped or added', () => {
  it.each(recordedRuns)('from run %s causes no error, and states no fact without the required keys', async (run) => {
    const roll = dice(run.length + run.charCodeAt(0) + run.charCodeAt(2));
    for (const recorded of await readRecording(run)) {
      if (!('body' in recorded)) continue;
      for (let round = 0; round < 5; round += 1) {
        const { fact } = readMessage({ ...recorded, body: spoilt(recorded.body, roll) });
        if (fact !== undefined) expect(keys[fact.kind]?.({ ...fact })).toBe(true);
      }
    }
  });
});
