import { describe, expect, it } from 'vitest';

import { decodeObject } from '../../src/messages/codec.ts';
import { destinations, queuesSharedWithTestbed, layoutNames, layoutTopics } from '../../src/messages/destinations.ts';
import { foreignProgramOf, told } from '../../src/messages/foreign.ts';
import { isRefused } from '../../src/messages/telemetry.ts';

describe('a foreign program', () => {
  const types = [
    'run_imminent',
    'start_run',
    'pause_run',
    'resume_run',
    'end_run',
    'stf_gen',
    'stf_ready',
    'tf_file_registered',
    'stf_processed',
    'run_snakemake',
    'snakemake_complete',
    'announcement',
    'run_imminent_worker',
    'create_workflow_task',
    'created_workflow_task',
    'adjust_worker',
    'close_workflow_task',
    'slice',
    'slice_result',
    'heartbeat',
    'transformer_ready',
    'stop_transformer',
  ];

  it.each(types)('is recognized as the sender of %s without a message_id', (msg_type) => {
    expect(foreignProgramOf(decodeObject({ msg_type, sender: 'them' }), {})).toEqual({
      name: 'them',
      namespace: undefined,
      run_id: undefined,
      msg_type,
    });
    expect(foreignProgramOf(decodeObject({ msg_type, sender: 'us', message_id: 'x' }), {})).toBeUndefined();
  });

  it('is not recognized by a message of unknown type or without a type', () => {
    expect(foreignProgramOf(decodeObject({ msg_type: 'hello', sender: 'x' }), {})).toBeUndefined();
    expect(foreignProgramOf(decodeObject({ sender: 'x' }), {})).toBeUndefined();
    expect(foreignProgramOf(decodeObject({ msg_type: 5, agent_name: 'x', status: 'OK' }), {})).toBeUndefined();
  });

  it('is recognized even if it sends one of our messages correctly, but without an id', () => {
    const body = { msg_type: 'end_run', sender: 'them', namespace: 'n', execution_id: 'e', total_stf_files: 1 };
    expect(foreignProgramOf(decodeObject(body), {})).toMatchObject({ name: 'them', namespace: 'n' });
  });

  it('may send heartbeats without a type, as old agents do', () => {
    expect(foreignProgramOf(decodeObject({ agent_name: 'old', status: 'OK' }), {})).toEqual({
      name: 'old',
      namespace: undefined,
      run_id: undefined,
      msg_type: 'heartbeat',
    });
    expect(foreignProgramOf(decodeObject({ agent_name: 'old' }), {})).toBeUndefined();
    expect(foreignProgramOf(decodeObject({ status: 'OK' }), {})).toBeUndefined();
  });

  it('gets its name, namespace and run from the body, or else from the headers', () => {
    const headers = { 'client-id': 'c', namespace: 'h', run_id: '7' };
    expect(
      foreignProgramOf(decodeObject({ msg_type: 'slice_result', namespace: null, run_id: 'none' }), headers),
    ).toEqual({
      name: 'c',
      namespace: 'h',
      run_id: '7',
      msg_type: 'slice_result',
    });
    expect(
      foreignProgramOf(decodeObject({ msg_type: 'slice_result', namespace: 'b', run_id: 8 }), headers),
    ).toMatchObject({ namespace: 'b', run_id: '8' });
    expect(foreignProgramOf(decodeObject({ msg_type: 'slice_result' }), {})?.name).toBe('a program without a name');
  });
});

it.each([
  ['x', 'x'],
  [5, '5'],
  [0, '0'],
  ['', undefined],
  ['None', undefined],
  ['null', undefined],
  ['UNKNOWN', undefined],
  [null, undefined],
  [{}, undefined],
  [true, undefined],
])('the field %j is read as %s', (value, text) => {
  expect(told(value)).toBe(text);
});

it('each layout has topics in addition to the broadcast topic', () => {
  expect(layoutNames).toEqual(['head', '2025-12', '2025-10']);
  expect(layoutTopics(undefined)).toEqual([]);
  expect(layoutTopics('head')).toEqual([
    '/topic/panda.slices',
    '/topic/panda.results',
    '/topic/panda.workers',
    '/topic/panda.transformer',
  ]);
  for (const layout of ['2025-12', '2025-10'] as const)
    expect(layoutTopics(layout)).toEqual([
      '/topic/panda.transformer.slices.monitor',
      '/topic/panda.results',
      '/topic/panda.transformer',
    ]);
});

it("queues with the same names as the testbed's are shared with the testbed", () => {
  expect(queuesSharedWithTestbed(destinations)).toEqual(['slices', 'results']);
  expect(queuesSharedWithTestbed({ ...destinations, slices: '/queue/swf.slices' })).toEqual(['results']);
  expect(
    queuesSharedWithTestbed({ ...destinations, slices: '/queue/swf', results: '/queue/mine/queue/panda.x' }),
  ).toEqual([]);
  expect(destinations).toEqual({
    broadcast: '/topic/epictopic',
    slices: '/queue/panda.transformer.slices',
    results: '/queue/panda.results.fastprocessing',
    control: '/queue/workflow_control',
    telemetry: '/topic/swf.telemetry',
  });
});

it.each([
  ['worker', 1, true],
  ['worker', 2, false],
  ['worker', 3, false],
  ['data', 1, false],
])('an agent of type %s with wire version %i is refused: %s', (agent_type, wire, refused) => {
  expect(isRefused({ agent_type, wire })).toBe(refused);
});
